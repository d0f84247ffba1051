# Verifies all signatures of the messages in a folder with dkimpy. The records of the
# DNS are in records.json beside them.
import json
import pathlib
import sys

import dkim

folder = pathlib.Path(sys.argv[1])
records = json.loads((folder / "records.json").read_text())


def lookup(name, timeout=5):
    name = name.decode() if isinstance(name, bytes) else name
    return records.get(name.rstrip("."), "").encode()


count = 0
faults = []
for path in sorted(folder.glob("*.eml")):
    message = dkim.DKIM(path.read_bytes(), minkey=1024)
    signatures = [h for h in message.headers if h[0].lower() == b"dkim-signature"]
    for i in range(len(signatures)):
        try:
            holds = message.verify(i, dnsfunc=lookup)
        except dkim.DKIMException as e:
            faults.append(f"{path.name}: {e}")
            continue
        if holds:
            count += 1
        else:
            faults.append(f"{path.name}: signature {i} does not hold: {signatures[i][1]!r}")
print(f"{count} signatures hold")
print("\n".join(faults), end="\n" if faults else "")
