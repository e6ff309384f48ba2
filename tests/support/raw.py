"""A client on the bare socket, for requests that no HTTP library would send."""
import socket


class Answer:
    """One HTTP/1.1 answer, read to its end."""

    def __init__(self, status, headers, body, head_size=0):
        self.status_code, self.headers, self.body = status, headers, body
        self.size = head_size + len(body)  # bytes on the wire, unless the body came in chunks

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        import json
        return json.loads(self.body)


class Headers(dict):
    """Names in any case; a header given twice is joined by a comma, as RFC 9110 says."""

    def add(self, name, value):
        name = name.lower()
        self[name] = f"{self[name]}, {value}" if name in self else value

    def __getitem__(self, name):
        return super().__getitem__(name.lower())

    def __contains__(self, name):
        return super().__contains__(name.lower())

    def get(self, name, default=None):
        return super().get(name.lower(), default)


class Raw:
    """A connection: send bytes, read one answer at a time."""

    def __init__(self, port, seconds=30):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())
        return self

    def request(self, method, target, headers=(), body=b"", host=True):
        """Sends a request as given: no header is added but Host, and Content-Length when there is a body."""
        lines = [f"{method} {target} HTTP/1.1"]
        lines += ["Host: 127.0.0.1"] if host else []
        lines += [f"{name}: {value}" for name, value in (headers.items() if isinstance(headers, dict) else headers)]
        if body and not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in lines):
            lines.append(f"Content-Length: {len(body)}")
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape") + body)
        return self.answer(method)

    def chunks(self, *parts):
        """A chunked body and its end."""
        for part in parts:
            self.send(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        return self.send(b"0\r\n\r\n")

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.buffer += data

    def _until(self, mark):
        while mark not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(mark, 1)
        return head

    def _exactly(self, size):
        while len(self.buffer) < size:
            self._more()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def _chunked(self):
        body = b""
        while True:
            size = int(self._until(b"\r\n").split(b";")[0], 16)
            body += self._exactly(size)
            self._exactly(2)
            if size == 0:
                return body

    def answer(self, method="GET"):
        """The next answer; interim ones (100 Continue) are passed over."""
        while True:
            head = self._until(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            status = int(lines[0].split()[1])
            if status >= 200:
                break
        headers = Headers()
        for line in lines[1:]:
            name, value = line.split(":", 1)
            headers.add(name, value.strip())
        if method == "HEAD" or status in (204, 304):
            body = b""
        elif "chunked" in headers.get("Transfer-Encoding", ""):
            body = self._chunked()
        else:
            body = self._exactly(int(headers.get("Content-Length", "0")))
        return Answer(status, headers, body, len(head) + len(b"\r\n\r\n"))

    def closed(self):
        """Whether the server has closed, or closes now, without another byte."""
        try:
            return not self.buffer and self.socket.recv(1) == b""
        except ConnectionError:
            return True
