# Reads the notices of a folder as a mail program does, and says what is wrong.
import email
import email.policy
import pathlib
import sys

faults = []
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.eml")):
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.SMTP)

    def wrong(what):
        faults.append(f"{path.name}: {what}")

    for part in message.walk():
        for defect in part.defects:
            # What is returned may be as broken as it came.
            if part.get_content_type() not in ("message/rfc822", "text/rfc822-headers"):
                wrong(f"{part.get_content_type()}: {defect!r}")
    if message.get_content_type() != "multipart/report":
        wrong(message.get_content_type())
        continue
    parts = list(message.iter_parts())
    text = parts[0].get_content()
    if "01KJZ00001DW00000000000000" not in text or ("\ufffd" in text and "hostile" not in path.name):
        wrong(f"the text is {text!r}")
    if len(message["Subject"]) < 5 or "=?" in message["Subject"]:
        wrong(f"the subject is {message['Subject']}")
    if not path.name.startswith(parts[0]["Content-Language"] + "-"):
        wrong(f"the language is {parts[0]['Content-Language']}")
    if parts[1].get_content_type() not in ("message/delivery-status", "message/global-delivery-status"):
        wrong(f"the second part is {parts[1].get_content_type()}")
    elif parts[1].get_content_type() == "message/delivery-status":
        blocks = parts[1].get_payload()
        if any(b["Action"] is None or b["Status"] is None for b in blocks[1:]):
            wrong("a recipient without Action or Status")
print("\n".join(faults))
sys.exit(bool(faults))
