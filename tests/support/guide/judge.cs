// SPDX-License-Identifier: Apache-2.0
// See judge.py.

using System;
using System.Collections.Specialized;
using System.Linq;
using System.Text;

static class Judge
{
    static string Said(Func<string, Func<string, string>, byte[], bool> judge, string secret, NameValueCollection headers, byte[] body)
    {
        try
        {
            return judge(secret, name => headers[name], body) ? "true" : "false";
        }
        catch (Exception error) when (error is FormatException || error is ArgumentException)
        {
            return "error";
        }
    }

    static void Main()
    {
        for (string line; (line = Console.ReadLine()) != null;)
        {
            var fields = line.Split('|').Select(Convert.FromBase64String).ToArray();
            var texts = fields.Select(Encoding.GetEncoding("iso-8859-1").GetString).ToArray();
            var headers = new NameValueCollection();
            for (var i = 2; i < texts.Length; i += 2)
                headers.Add(texts[i], texts[i + 1]);
            Console.WriteLine(Said(Webhook.Verify, texts[0], headers, fields[1]) + " "
                + Said(Webhook.VerifyPlain, texts[0], headers, fields[1]));
        }
    }
}
