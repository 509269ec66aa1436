"""What the client tests share: a local cloud of their own, clients for it, TAP, and the comparison of every answer with the
service models of botocore."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
import xml.etree.ElementTree as ElementTree

import boto3
import botocore.config
import botocore.exceptions

SMARTCITY = os.environ.get("SMARTCITY", "build/smartcity")


class Cloud:
    """A running `smartcity cloud`. stop() fails when it ended badly (a leak, a sanitizer's finding)."""

    def __init__(self, folder=None, *options):
        self.folder = folder or tempfile.mkdtemp(dir=os.environ.get("CLOUD_WORK"))
        self.errors = open(os.path.join(tempfile.mkdtemp(dir=os.environ.get("CLOUD_WORK")), "stderr"), "w+")
        self.process = subprocess.Popen(
            [SMARTCITY, "cloud", "--port", "0", "--data", self.folder, "--output", "json", "--faults", *options],
            stdout=subprocess.PIPE, stderr=self.errors, text=True)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise RuntimeError(self.stderr())
        address = json.loads(line)
        self.endpoint, self.region = address["endpoint"], address["region"]
        self.access_key, self.secret_key = address["access_key"], address["secret_key"]
        self.control_token = address["control_token"]
        self.port = int(self.endpoint.rsplit(":", 1)[1])

    def stderr(self):
        self.errors.flush()
        self.errors.seek(0)
        return self.errors.read()

    def client(self, service, validate=True, **settings):
        keys = {"aws_access_key_id": self.access_key, "aws_secret_access_key": self.secret_key}
        for name in list(settings):
            if name.startswith("aws_"):
                keys[name] = settings.pop(name)
        config = botocore.config.Config(retries={"total_max_attempts": 1, "mode": "standard"}, **settings)
        client = boto3.session.Session().client(service, endpoint_url=self.endpoint, region_name=self.region,
                                                config=config, **keys)
        if validate:
            client.meta.events.register("after-call", check_answer)
        return client

    def environment(self):
        return dict(os.environ, AWS_ENDPOINT_URL=self.endpoint, AWS_DEFAULT_REGION=self.region,
                    AWS_ACCESS_KEY_ID=self.access_key, AWS_SECRET_ACCESS_KEY=self.secret_key)

    def aws(self, *words, check=True, input=None):
        done = subprocess.run(["aws", *words], env=self.environment(), capture_output=True, input=input)
        if check and done.returncode != 0:
            raise AssertionError("aws %s: %s" % (" ".join(words), done.stderr.decode()))
        return done

    def fault(self, *rules):
        import urllib.request
        request = urllib.request.Request(self.endpoint + "/_smartcity/faults", method="POST" if rules else "DELETE",
                                         data="\n".join(rules).encode() if rules else None,
                                         headers={"x-smartcity-control": self.control_token, "content-type": "text/plain"})
        return urllib.request.urlopen(request).read().decode()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        if code != 0:
            raise AssertionError("the cloud ended with %d:\n%s" % (code, self.stderr()[-4000:]))


# ---- answers against the models ---------------------------------------------------------------------------

problems = []


def local_name(tag):
    return tag.rsplit("}", 1)[-1]


def check_xml(shape, element, where):
    if shape.type_name == "structure":
        members = {}
        for name, member in shape.members.items():
            if member.serialization.get("location"):
                continue
            flat = member.type_name == "list" and member.serialization.get("flattened")
            wire = member.serialization.get("name", name)
            if flat and "name" not in member.serialization:
                wire = member.member.serialization.get("name", name)
            members[wire] = (name, member, flat)
        seen = set()
        for child in element:
            tag = local_name(child.tag)
            if tag not in members:
                problems.append("%s: %s is not in the model" % (where, tag))
                continue
            name, member, flat = members[tag]
            if tag in seen and not flat:
                problems.append("%s: %s twice" % (where, tag))
            seen.add(tag)
            check_xml(member.member if flat else member, child, where + "." + tag)
        for name in shape.required_members:
            if not any(members[tag][0] == name for tag in seen if tag in members):
                problems.append("%s: %s is missing" % (where, name))
    elif shape.type_name == "list":
        wire = shape.member.serialization.get("name", "member")
        for child in element:
            if local_name(child.tag) != wire:
                problems.append("%s: %s instead of %s" % (where, local_name(child.tag), wire))
            check_xml(shape.member, child, where + "[]")
    else:
        check_scalar(shape, element.text or "", where)


def check_scalar(shape, text, where):
    kind = shape.type_name
    if kind in ("integer", "long"):
        int(text)
    elif kind == "boolean" and text not in ("true", "false"):
        problems.append("%s: %r is no boolean" % (where, text))
    elif kind == "timestamp":
        import dateutil.parser
        dateutil.parser.isoparse(text)
    elif kind == "string" and getattr(shape, "enum", None) and text and text not in shape.enum:
        problems.append("%s: %r is not one of %s" % (where, text, shape.enum))


def check_json(shape, value, where):
    kind = shape.type_name
    expected = {"structure": dict, "list": list, "map": dict, "string": str, "boolean": bool, "integer": int, "long": int,
                "float": (int, float), "double": (int, float), "timestamp": (int, float), "blob": str}[kind]
    if not isinstance(value, expected) or (kind in ("integer", "long") and isinstance(value, bool)):
        problems.append("%s: %r is no %s" % (where, value, kind))
    elif kind == "structure":
        for name, member in value.items():
            if name not in shape.members:
                problems.append("%s: %s is not in the model" % (where, name))
            else:
                check_json(shape.members[name], member, where + "." + name)
        for name in shape.required_members:
            if name not in value:
                problems.append("%s: %s is missing" % (where, name))
    elif kind == "list":
        for item in value:
            check_json(shape.member, item, where + "[]")
    elif kind == "map":
        for item in value.values():
            check_json(shape.value, item, where + "{}")
    elif kind == "string" and getattr(shape, "enum", None) and value not in shape.enum:
        problems.append("%s: %r is not one of %s" % (where, value, shape.enum))


def check_answer(http_response, parsed, model, **kwargs):
    """Raw answers, since botocore's parser passes over what it does not know."""
    if http_response.status_code >= 300 or model.output_shape is None:
        return
    where, shape = model.name, model.output_shape
    protocol = model.service_model.protocol
    if "request-id" not in " ".join(http_response.headers).lower() and "requestid" not in " ".join(http_response.headers).lower():
        problems.append(where + ": no request id")
    if model.has_streaming_output or model.has_event_stream_output:
        return
    body = http_response.content
    if protocol == "json":
        check_json(shape, json.loads(body or b"{}"), where)
    elif body:
        root = ElementTree.fromstring(body)
        if protocol == "query":
            result = [child for child in root if local_name(child.tag) == model.name + "Result"]
            if len(result) != 1:
                problems.append(where + ": no result element")
                return
            root = result[0]
        payload = shape.serialization.get("payload")
        if payload:
            check_xml(shape.members[payload], root, where)
        elif model.name == "GetBucketLocation":
            pass  # the one answer whose root is a member
        else:
            check_xml(shape, root, where)


# ---- TAP --------------------------------------------------------------------------------------------------

number = 0
failures = 0


def run(tests, *arguments):
    global number, failures
    for test in tests:
        number += 1
        del problems[:]
        try:
            test(*arguments)
            if problems:
                raise AssertionError("; ".join(sorted(set(problems))))
            print("ok %d - %s" % (number, test.__name__), flush=True)
        except Exception:
            failures += 1
            print("not ok %d - %s" % (number, test.__name__))
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            sys.stdout.flush()


def finish(*clouds):
    """Stops the clouds, which must end cleanly, and the program."""
    def clouds_end_cleanly():
        for cloud in clouds:
            cloud.stop()
    run([clouds_end_cleanly])
    sys.exit(failures > 0)


def fails(code, status, call, *arguments, **keywords):
    """The call must be refused in this way. Returns the error."""
    try:
        call(*arguments, **keywords)
    except botocore.exceptions.ClientError as error:
        got = (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
        assert got == (code, status), "%s instead of %s: %s" % (got, (code, status), error)
        return error
    raise AssertionError("not refused with " + code)
