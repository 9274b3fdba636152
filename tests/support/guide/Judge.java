// SPDX-License-Identifier: Apache-2.0
// See judge.py.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;

final class Judge {
    private static String said(Callable<Boolean> judge) throws Exception {
        try {
            return judge.call().toString();
        } catch (IllegalArgumentException error) {
            return "error";
        }
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line; (line = lines.readLine()) != null;) {
            String[] fields = line.split("\\|", -1);
            byte[] body = Base64.getDecoder().decode(fields[1]);
            String secret = text(fields[0]);
            Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            for (int i = 2; i < fields.length; i += 2)
                headers.put(text(fields[i]), text(fields[i + 1]));
            System.out.println(said(() -> Webhook.verify(secret, headers::get, body)) + " "
                + said(() -> Webhook.verifyPlain(secret, headers::get, body)));
        }
    }

    private static String text(String field) {
        return new String(Base64.getDecoder().decode(field), StandardCharsets.ISO_8859_1);
    }
}
