# SPDX-License-Identifier: Apache-2.0
# Each judge.* here takes the guide's functions of its language, reads webhooks from stdin and prints what the two say of
# each: true, false or error.  A line is fields in base64 with a "|" between: secret, body, and name and value of each
# header.
import base64
import email.message
import sys

from verify import verify, verify_plain


def said(function, *arguments):
    try:
        return "true" if function(*arguments) else "false"
    except ValueError:
        return "error"


for line in sys.stdin:
    secret, body, *rest = [base64.b64decode(field) for field in line.rstrip("\n").split("|")]
    headers = email.message.Message()
    for name, value in zip(rest[::2], rest[1::2]):
        headers[name.decode()] = value.decode("latin-1")
    print(*(said(function, secret.decode(), headers, body) for function in (verify, verify_plain)))
