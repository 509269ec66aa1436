"""The JavaScript SDK v3: js/test_s3.mjs, against a cloud of its own. The packages are in build/clients/js (tests/clients/run)."""
import os
import subprocess
import sys

from harness import Cloud

cloud = Cloud()
folder = os.environ["CLOUD_JS"]
environment = dict(cloud.environment(), AWS_REGION=cloud.region)
done = subprocess.run(["node", os.path.join(folder, "test_s3.mjs")], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                      text=True, timeout=300)
print(done.stdout, end="")
cloud.stop()
sys.exit(done.returncode)
