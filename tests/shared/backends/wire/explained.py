"""Where others differ from what is right, and why right is right: the whole list, both ways.

A difference that is not here fails the test, and so does one that is here and no longer seen. ``h11`` stands for
httpcore and httpcore2, which share that parser.
"""

from typing import NamedTuple

from tests.shared.backends.wire.clients import Difference


class Explanation(NamedTuple):
    """One reason, and the cases in which each peer differs for it, separated by bars."""

    how: Difference
    reason: str
    h11: str = ""
    aiohttp: str = ""

    def names(self, peer: str) -> list[str]:
        listed = self.aiohttp if peer == "aiohttp" else self.h11
        return [" ".join(name.split()) for name in listed.split("|") if name.strip()]


EXPLAINED = (
    # Answers that reach the wrong request
    Explanation(
        Difference.MIXED_UP,
        "RFC 9112 §9.2: what comes on a connection without a request outstanding is no response. Both leave it in a "
        "buffer, and hand it to whoever asks next. This is why a connection in doubt is closed here, at whatever cost.",
        h11="""
            204, and another answer behind | 304, and another answer behind | HEAD, and another answer behind
            | behind it, another answer | behind it, two more answers | behind it, the same answer
            | behind it, half an answer | behind chunks, another answer | behind nothing, another answer
            | behind a part, another answer
        """,
        aiohttp="""
            behind a part, another answer | later, another answer | later, 408
            | later, after chunks, another answer | later, after 204, another answer
        """,
    ),
    Explanation(
        Difference.NEXT_LOST,
        "RFC 9112 §9.2 again: junk behind an answer must cost the connection, not the next request.",
        h11="""
            length, shorter than what comes | length, zero, and yet a body | behind it, junk | behind it, one byte
            | behind it, NUL | behind it, the first byte of an answer | behind chunks, junk
            | behind chunks, more chunks | 204 with a body nobody announced | 304 with a body
            | 204 with a length and a body | 204 with chunks | HEAD, with the body all the same
            | HEAD, with chunks all the same
        """,
    ),
    Explanation(
        Difference.NEXT_LOST,
        "RFC 9112 §9.2: an empty line between answers may be passed over; it is no reason to fail.",
        h11="behind it, an empty line, which may be passed over",
    ),
    Explanation(
        Difference.KEPT,
        "RFC 9112 §9.2: something came that nobody asked for, so what follows is ambiguous. That the next answer "
        "happens to be found all the same is luck.",
        h11="behind it, a 1xx",
        aiohttp="""
            behind it, half an answer | behind it, the first byte of an answer | later, half an answer
            | later, a 1xx | later, an empty line
        """,
    ),
    # Framing in doubt
    Explanation(
        Difference.TAKEN,
        "RFC 9112 §6.3: length and coding together ought to be handled as an error: one of two readers is wrong.",
        h11="""
            coding, with a length | coding, after a length | coding, with a length that covers the chunks
            | coding, with a length of zero | HEAD, length and coding | dripped, length and coding
        """,
    ),
    Explanation(
        Difference.TAKEN,
        "RFC 9110 §8.6 leaves the choice between refusing and believing what is said twice. An honest server says it "
        "once.",
        h11="length, twice the same | length, the same in a list",
    ),
    Explanation(
        Difference.TAKEN,
        "RFC 9112 §6.1 and RFC 9110 §10.1.4: no coding but chunked may be sent to a client that asked for none, and "
        "chunked only once. To read it until the close, or to unpack one layer, delivers what nobody can interpret.",
        aiohttp="""
            coding, identity | coding, gzip | coding, deflate | coding, compress | coding, cow | coding, xchunked
            | coding, chunkedx | coding, chunke | coding, x chunked | coding, chunked x | coding, "chunked"
            | coding, 'chunked' | coding, chunked;q=1 | coding, chunked; x | coding, gzip, chunked
            | coding, identity, chunked | coding, chunked, identity | coding, chunked, chunked
            | coding, chunked, gzip | coding, chunked gzip | coding, x | coding, 0 | coding, empty
            | coding, chunked twice | coding, chunked, then identity | coding, identity, then chunked
            | coding, no-break space before it | coding, Kelvin sign
        """,
    ),
    Explanation(
        Difference.TAKEN,
        "RFC 9110 §5.5 would have the tab stripped, and httptools does not see a coding behind one. Refused rather "
        "than read as unframed: stricter than need be, on what no server sends.",
        h11="coding, tab before it | coding, tab after it",
        aiohttp="coding, tab before it",
    ),
    Explanation(
        Difference.PATIENT,
        "RFC 9112 §6.3: a coding that is not recognised must not turn the body into one that ends with the connection.",
        aiohttp="coding, tab after it | coding, vertical tab before it",
    ),
    Explanation(
        Difference.KEPT,
        "RFC 9112 §6.1: a coding in HTTP/1.0 is faulty framing; the connection is closed after it.",
        aiohttp="coding, HTTP/1.0, kept alive",
    ),
    Explanation(
        Difference.PATIENT,
        "RFC 9112 §6.3: a length beyond any integer will never be reached; waiting for it helps nobody.",
        h11="length, 2^64 | length, 2^64 + 7 | chunk, 2^64 + 4",
    ),
    # Chunks and trailers
    Explanation(
        Difference.TAKEN,
        "RFC 9112 §7.1: chunk = chunk-size [ chunk-ext ] CRLF; space belongs to an extension, which needs a name, and "
        "neither CR nor NUL is part of one.",
        h11="""
            chunk, space after the size | chunk, tab after the size | chunk, extension without a name
            | chunk, extension with a bare CR | chunk, extension with NUL
        """,
        aiohttp="chunk, space after the size | chunk, tab after the size",
    ),
    Explanation(
        Difference.TAKEN,
        "RFC 9112 §7.1: chunk-data ends with CRLF exactly where its size says. Anything else and somebody else sees "
        "other chunks.",
        aiohttp="chunk, data one byte too short | chunk, data ended by LF",
    ),
    Explanation(
        Difference.TAKEN,
        "RFC 9112 §7.1.1 and §7.1.2: extensions and trailers may be ignored, but not without a bound.",
        h11="chunk, more extension than body",
        aiohttp="chunk, extension of 200 KB | chunk, more extension than body",
    ),
    Explanation(
        Difference.PATIENT,
        "RFC 9112 §7.1: what stands where a chunk's size must be, and cannot become one, is an error at once.",
        h11="chunk, last one ended by LF | chunk, a body without chunks",
        aiohttp="chunk, last one ended by LF | dripped, a bad chunk",
    ),
    Explanation(
        Difference.TAKEN,
        "RFC 9110 §6.5.1: no trailer may frame the message. RFC 9112 §5: trailers obey the syntax of headers.",
        h11="trailer, a length | trailer, bare LF | trailer, folded",
        aiohttp="trailer, NUL | trailer, bare LF | trailer, folded",
    ),
    Explanation(
        Difference.REFUSED,
        "RFC 9110 §6.5.1: a trailer that may not be one is ignored. The body is whole; the connection is given up.",
        h11="trailer, a coding",
    ),
    Explanation(
        Difference.KEPT,
        "RFC 9110 §6.5.1: such a trailer may be ignored, as they do. Who sends it is in doubt, so the connection goes.",
        h11="trailer, connection close",
        aiohttp="trailer, a coding | trailer, connection close",
    ),
    # Syntax of the head
    Explanation(
        Difference.TAKEN,
        "RFC 9112 §2.2: a bare LF may be taken for a line end, and then one reader sees a header where another sees "
        "none. No server we call sends it.",
        h11="LF everywhere | LF after the status line | LF after a header | LF as the empty line",
        aiohttp="LF everywhere | LF after the status line | LF after a header | LF as the empty line",
    ),
    Explanation(
        Difference.PATIENT,
        "RFC 9112 §2.2: a bare CR is invalid; what holds one is refused before the rest comes.",
        h11="CR everywhere | CR as the empty line",
    ),
    Explanation(
        Difference.TAKEN,
        "RFC 9112 §5.2: a folded line is obsolete. A client would have to join it; readers that do not see another "
        "header in it, which is the danger, so it is refused.",
        h11="""
            header, folded by a space | header, folded by a tab | header, folded many times | header, folded to nothing
            | header, a length on a folded line | header, a length hidden in a fold | coding, on a folded line
        """,
        aiohttp="""
            header, folded by a space | header, folded by a tab | header, folded many times | header, folded to nothing
            | header, a length on a folded line | header, a length hidden in a fold | coding, on a folded line
        """,
    ),
    Explanation(
        Difference.TAKEN,
        "RFC 9112 §5.1: no whitespace between name and colon; §2.2: none before the first header.",
        aiohttp="""
            coding, space before the colon | header, space before the length's colon | header, space before the first
        """,
    ),
    Explanation(
        Difference.TAKEN,
        "RFC 9110 §5.5: control characters in a value are invalid. They end up in logs and terminals.",
        h11="""
            header, 0x01 in the value | header, BEL in the value | header, BS in the value | header, ESC in the value
            | header, DEL in the value
        """,
        aiohttp="""
            header, 0x01 in the value | header, BEL in the value | header, BS in the value | header, VT in the value
            | header, FF in the value | header, ESC in the value | header, DEL in the value
        """,
    ),
    Explanation(
        Difference.REFUSED,
        "RFC 9110 §5.4: no limit is set; ours is 128 KiB for the whole head, aiohttp's 8 KiB a line and 128 headers.",
        aiohttp="header, 16 KB | header, 60 KB | headers, 250",
    ),
    Explanation(
        Difference.TAKEN,
        "RFC 9110 §5.4: no limit is set; ours is 256 headers: h11 looks at the size alone.",
        h11="headers, 2,000",
    ),
    Explanation(
        Difference.SAID,
        "RFC 9110 §5.5: a value is told as it came; h11 lowers the coding's name.",
        h11="CHUNKED",
    ),
    # The status line
    Explanation(
        Difference.TAKEN,
        "RFC 9112 §2.3: HTTP/1 answers are HTTP/1.x. Another major version has another framing.",
        h11="HTTP/0.9 | HTTP/2.0 | HTTP/3.0 | HTTP/0.8",
        aiohttp="HTTP/0.9 | HTTP/2.0 | RTSP/1.1 | ICE/1.1",
    ),
    Explanation(
        Difference.TAKEN,
        "RFC 9110 §2.5: a higher minor version should be read as 1.1. There is none and will be none (httpwg has "
        "closed that door), so it is a sign of something that is not HTTP.",
        h11="HTTP/1.2 | HTTP/1.9",
    ),
    Explanation(
        Difference.TAKEN,
        "RFC 9110 §15: a code below 100 is invalid.",
        aiohttp="status 099 | status 000",
    ),
    Explanation(
        Difference.REFUSED,
        "RFC 9112 §4: a client should ignore the reason phrase, so what it holds cannot be wrong.",
        h11="status, NUL in the reason | status, VT in the reason",
    ),
    Explanation(
        Difference.REFUSED,
        "RFC 9112 §2.2: one empty line before a message is a known slip, and harmless.",
        h11="an empty line before the status line",
    ),
    Explanation(
        Difference.TAKEN,
        "RFC 9112 §2.2: only CRLF, the known slip, is passed over; half of one is a bad line end.",
        aiohttp="LF before the status line | CR before the status line",
    ),
    Explanation(
        Difference.PATIENT,
        "RFC 9112 §4: what cannot become a status line is refused without waiting for its end.",
        h11="an SSH banner | an SMTP greeting | a Redis error",
    ),
    # 1xx, HEAD, the connection
    Explanation(
        Difference.TAKEN,
        "RFC 9110 §15.2 sets no bound to preludes; a call must have one: all heads together fit 128 KiB.",
        h11="103 without end, an answer behind",
        aiohttp="103 without end, an answer behind",
    ),
    Explanation(
        Difference.PATIENT,
        "The same, and so they wait for ever. Empty lines without end are no other.",
        h11="103 without end",
        aiohttp="103 without end | empty lines without end",
    ),
    Explanation(
        Difference.TAKEN,
        "RFC 9110 §15.2: HTTP/1.0 has no 1xx.",
        h11="100 in HTTP/1.0",
    ),
    Explanation(
        Difference.TAKEN,
        "RFC 9112 §9.6 means the final answer's close; to httptools nothing follows any. Refused: stricter than need "
        "be, on what no server sends.",
        h11="103 that says close",
    ),
    Explanation(
        Difference.TAKEN,
        "RFC 9110 §7.8: a server must not switch to a protocol that the client did not name.",
        aiohttp="101 that nobody asked for | 101 without its headers",
    ),
    Explanation(
        Difference.REFUSED,
        "RFC 9112 §6.3: the answer was whole before the surplus; that it came costs the connection, not the answer.",
        aiohttp="""
            length, shorter than what comes | length, zero, and yet a body | 204 with a body nobody announced
            | 304 with a body | 204 with a length and a body | 204 with chunks | HEAD, with the body all the same
            | HEAD, with chunks all the same | HEAD, and another answer behind | behind it, junk
            | behind it, one byte | behind it, NUL | behind chunks, junk | behind chunks, more chunks
            | connection, close, and another answer behind
        """,
    ),
    Explanation(
        Difference.KEPT,
        "RFC 9110 §9.3.2 lets the connection live. httptools cannot be told of HEAD and would read the next answer as "
        "this one's body, so ours closes: the one place where we pay for the parser.",
        h11="""
            HEAD, by length | HEAD, length zero | HEAD, chunked | HEAD, no framing | HEAD, 404 | HEAD, 204
            | HEAD, huge length | 100, then HEAD's answer | dripped, HEAD
        """,
        aiohttp="""
            HEAD, by length | HEAD, length zero | HEAD, chunked | HEAD, 404 | HEAD, 204 | HEAD, huge length
            | 100, then HEAD's answer | dripped, HEAD
        """,
    ),
    Explanation(
        Difference.KEPT,
        "RFC 9112 §9.3: whoever says close means it, whatever else it says, even in an old proxy's words (App. C.2.2).",
        h11="proxy-connection, close",
        aiohttp="HTTP/1.0, keep-alive and close",
    ),
    Explanation(
        Difference.DROPPED,
        "RFC 9112 §9.3: HTTP/1.0 with keep-alive persists.",
        h11="HTTP/1.0, kept alive | HTTP/1.0, Keep-Alive",
    ),
    Explanation(
        Difference.RETRIED,
        "RFC 9112 §9.3.1 allows it for idempotent requests. Only one layer retries, and it is not the transport: ours "
        "sends again only what an idle connection, closed meanwhile, has swallowed.",
        aiohttp="""
            100, then the close | 103, then half a status line
            | closes before anything | closes after one byte | closes within the version | closes within the code
            | closes after the status line | closes within a name | closes within a length
            | closes before the empty line | closes within the empty line | closes after an empty line
            | resets before anything | resets after one byte | resets within the version | resets within the code
            | resets after the status line | resets within a name | resets within a length
            | resets before the empty line | resets within the empty line | resets after an empty line
        """,
    ),
    Explanation(
        Difference.TAKEN,
        "RFC 9112 §8: a body that ends with the connection is whole only if the connection ended in order.",
        aiohttp="resets a body that the close would frame | resets a body before its first byte",
    ),
    Explanation(
        Difference.TAKEN,
        "RFC 9110 §2.3 leaves bounds to the recipient: ours belongs to the call, theirs would be the caller's work.",
        h11="over 1 MiB by length | over 1 MiB by chunks | over 1 MiB by the close | over 1 MiB, an error's body",
        aiohttp="over 1 MiB by length | over 1 MiB by chunks | over 1 MiB by the close | over 1 MiB, an error's body",
    ),
)  # fmt: skip
