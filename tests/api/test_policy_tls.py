"""TLS: the same service over it, nothing older than 1.2, and start errors that name the file."""
import json
import shutil
import socket
import ssl
import subprocess

import pytest

from harness import CLASSIFY, JSON, TIMEOUT_S, Server, error_line, run

if not shutil.which("openssl"):
    pytest.skip("openssl is not installed", allow_module_level=True)


def make_certificate(folder, name):
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True, timeout=TIMEOUT_S)
    return certificate, key


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"), "server")


@pytest.fixture(scope="module")
def secure(bundle, pair):
    with Server(bundle, f"tls.certificate={pair[0]}", f"tls.key={pair[1]}") as running:
        yield running


def connect(server, pair, **limits):
    context = ssl.create_default_context(cafile=str(pair[0]))
    for name, value in limits.items():
        setattr(context, name, value)
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT_S)
    try:
        return context.wrap_socket(plain, server_hostname="localhost")
    except OSError:
        plain.close()
        raise


def secure_client(server, pair):
    client = server.client()
    client.connection.sock = connect(server, pair)
    return client


def test_service(secure, pair):
    with secure_client(secure, pair) as client:
        for _ in range(5):
            answer = client.post({"postings": [{"title": "nurse"}] * 200})
            assert answer.status == 200 and len(answer.json()["results"]) == 200
            assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert client.request("POST", CLASSIFY, b"{", {"Content-Type": JSON}).status == 400


def test_many_connections(secure, pair):
    clients = [secure_client(secure, pair) for _ in range(20)]
    body = json.dumps({"title": "nurse"}).encode()
    for client in clients:
        client.connection.request("POST", CLASSIFY, body, {"Content-Type": JSON})
    for client in clients:
        response = client.connection.getresponse()
        assert response.status == 200 and json.loads(response.read())["results"]
        client.connection.close()


def test_versions(secure, pair):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with connect(secure, pair, minimum_version=version, maximum_version=version) as stream:
            assert stream.version() == version.name.replace("_", ".")


def test_older_versions_are_refused(secure):
    def dial(version):
        """Python will not speak it any more; openssl does where it is told that security does not matter."""
        return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{secure.port}", version, "-cipher",
                               "ALL:@SECLEVEL=0"], input="", capture_output=True, text=True, timeout=TIMEOUT_S)

    assert "Cipher is (NONE)" not in dial("-tls1_2").stdout
    for version in ("-tls1", "-tls1_1"):
        refused = dial(version)
        assert "no protocols available" not in refused.stderr, "it was never offered"
        assert refused.returncode != 0 and "Cipher is (NONE)" in refused.stdout


def test_plain_requests_get_nothing_and_hurt_no_one(secure, pair):
    with secure.raw() as raw:
        raw.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"HTTP" not in raw.file.read()
    secure.raw().reset()
    with secure_client(secure, pair) as client:
        assert client.get("/livez").status == 200


def test_drain(bundle, pair):
    with Server(bundle, f"tls.certificate={pair[0]}", f"tls.key={pair[1]}") as server:
        with secure_client(server, pair) as client:
            assert client.get("/livez").status == 200
            server.stop()


def refusal(bundle, *sets, check=False):
    arguments = [f"--set={assignment}" for assignment in (f"model.folder={bundle}", "http.port=0", *sets)]
    return error_line(run(*(["--check"] if check else []), *arguments))["detail"]


def test_start_errors_name_the_file(bundle, pair, tmp_path):
    certificate, key = pair
    for check in (False, True):
        assert "/nothing.pem" in refusal(bundle, "tls.certificate=/nothing.pem", f"tls.key={key}", check=check)
        assert f"tls.key '{certificate}'" in refusal(bundle, f"tls.certificate={certificate}", f"tls.key={certificate}",
                                                     check=check)
        assert "without tls.key" in refusal(bundle, f"tls.certificate={certificate}", check=check)
    _, other_key = make_certificate(tmp_path, "other")
    for check in (False, True):
        detail = refusal(bundle, f"tls.certificate={certificate}", f"tls.key={other_key}", check=check)
        assert str(certificate) in detail and str(other_key) in detail and not detail.endswith(": ")
    damaged = tmp_path / "damaged.pem"
    damaged.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", encoding="ascii")
    for check in (False, True):
        detail = refusal(bundle, f"tls.certificate={damaged}", f"tls.key={key}", check=check)
        assert str(damaged) in detail and not detail.endswith(": ")
    assert run("--check", f"--set=model.folder={bundle}", f"--set=tls.certificate={certificate}",
               f"--set=tls.key={key}").returncode == 0


def test_deadlines_end_without_a_plain_word(bundle, pair):
    """A 408 written past TLS would be noise in the client's stream."""
    sets = (f"tls.certificate={pair[0]}", f"tls.key={pair[1]}", "http.header_timeout=3s", "http.idle_timeout=3s")
    with Server(bundle, *sets) as server:
        with connect(server, pair) as late:
            late.sendall(b"GET /livez HTTP/1.1\r\nHost: ")
            with pytest.raises(ssl.SSLEOFError):
                raise_at_end(late)
        with socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT_S) as mute:
            assert mute.recv(100) == b""
        with connect(server, pair) as good:
            good.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert good.recv(100).startswith(b"HTTP/1.1 200 ")


def raise_at_end(stream):
    """Reads to the end; an unencrypted byte would be a record of the wrong version, another error."""
    stream.suppress_ragged_eofs = False
    while stream.recv(4096):
        pass
    raise ssl.SSLEOFError("ended in order")
