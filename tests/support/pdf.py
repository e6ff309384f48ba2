"""Small PDFs, made by hand: whole, of any size, and with what a leaflet may not have."""


def pdf(inside=b"", size=0, words="A leaflet"):
    """One page with a line of text; `inside`: more in its catalogue; `size`: padded to so many bytes."""
    text = b"BT /F1 24 Tf 72 720 Td (%s) Tj ET" % words.encode()
    objects = [b"<< /Type /Catalog /Pages 2 0 R %s >>" % inside, b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
               b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
               b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text), b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]

    def build(padding):
        out, places = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
        for number, one in enumerate(objects, 1):
            places.append(len(out))
            out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
        out += b"%" + b"x" * padding + b"\n"
        table = b"".join(b"%010d 00000 n \n" % place for place in places)
        return out + b"xref\n0 6\n0000000000 65535 f \n" + table + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(out)
    made, padding = build(0), 0
    while size and len(made) != size:  # the place of the table has more digits in a longer file
        padding += size - len(made)
        made = build(padding)
    return made
