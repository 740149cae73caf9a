#!/usr/bin/python3
"""send-email - one mail with an attachment, described by a job's arguments.

Stdin: [{"to": ..., "subject": ..., "text": ..., "attach": path}]. SMTP_SERVER
is host:port. The Message-ID is made from the jid, so that a mail sent twice
can be known for what it is.

SPDX-License-Identifier: ISC
"""
import email.message
import json
import os
import pathlib
import smtplib
import sys

LATER, NEVER = 75, 65

[mail] = json.load(sys.stdin)
attachment = pathlib.Path(mail["attach"])
message = email.message.EmailMessage()
try:
    message["From"] = os.environ["MAIL_FROM"]
    message["To"] = mail["to"]
    message["Subject"] = mail["subject"]
except ValueError as bad:  # a line end in a header
    print(bad, file=sys.stderr)
    sys.exit(NEVER)
message["Message-ID"] = f"<{os.environ['FAKTORY_JID']}@faktotum.invalid>"
message.set_content(mail["text"])
message.add_attachment(
    attachment.read_bytes(), "text", "html", filename=attachment.name
)

host, _, port = os.environ["SMTP_SERVER"].rpartition(":")
try:
    with smtplib.SMTP(host, int(port), timeout=30) as server:
        server.send_message(message)
except smtplib.SMTPRecipientsRefused as refused:
    print(refused, file=sys.stderr)
    codes = [code for code, _ in refused.recipients.values()]
    sys.exit(NEVER if min(codes) >= 500 else LATER)
except OSError as trouble:  # no connection, or it was lost
    print(trouble, file=sys.stderr)
    sys.exit(LATER)
print(f"sent to {mail['to']}")
