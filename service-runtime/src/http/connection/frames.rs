//! Whether what a client has sent so far is the unfinished head of a request.
//!
//! Of HTTP/1.1 every byte between two requests begins a head. A client of HTTP/2 also sends frames that
//! belong to no request (SETTINGS, PING, WINDOW_UPDATE): whole, they show that it lives and begin nothing.

/// What a client of HTTP/2 sends first.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// How much of a payload is kept: enough for the codes of a frame, and for a block of one header.
const KEPT: usize = 8;

/// What the bytes so far were part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// A head that is not complete, or may be one.
    Head,
    /// Whole frames of HTTP/2: nothing is outstanding.
    Whole,
}

/// Follows the frames of one client.
#[derive(Debug)]
pub(super) enum Frames {
    /// So many bytes of the preface have come.
    Preface(usize),
    /// The client does not speak HTTP/2.
    Http1,
    Http2(Http2Frames),
}

/// Where in its frames a client of HTTP/2 is.
#[derive(Debug, Default)]
pub(super) struct Http2Frames {
    reader: FrameReader,
    /// HEADERS have come without their end.
    head_is_open: bool,
    /// The newest stream.
    stream: u32,
    /// Whether the head that is open begins a request, and is not the trailers of one.
    is_new: bool,
    /// How many requests have begun since the last look.
    heads: u64,
}

/// Cuts the bytes of one side into frames.
#[derive(Debug, Default)]
pub(super) struct FrameReader {
    header: [u8; 9],
    filled: usize,
    length: usize,
    /// How much of the payload is still to come.
    left: usize,
    kept: [u8; KEPT],
}

/// A frame that has come whole.
#[derive(Debug)]
pub(super) struct FrameEnd {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    length: usize,
    kept: [u8; KEPT],
}

impl Default for Frames {
    fn default() -> Self {
        Self::Preface(0)
    }
}

impl Frames {
    /// Takes note of bytes in the order in which they came.
    pub(super) fn received(&mut self, mut bytes: &[u8]) -> Progress {
        if let Self::Preface(matched) = self {
            let rest = &PREFACE[*matched..];
            let length = rest.len().min(bytes.len());
            if rest[..length] != bytes[..length] {
                *self = Self::Http1;
                return Progress::Head;
            }
            *matched += length;
            if *matched < PREFACE.len() {
                return Progress::Head;
            }
            bytes = &bytes[length..];
            *self = Self::Http2(Http2Frames::default());
        }
        match self {
            Self::Http2(frames) => frames.received(bytes),
            _ => Progress::Head,
        }
    }

    /// Returns how many heads of HTTP/2 have come whole since the last look.
    pub(super) fn take_heads(&mut self) -> u64 {
        match self {
            Self::Http2(frames) => std::mem::take(&mut frames.heads),
            _ => 0,
        }
    }

    pub(super) fn is_http1(&self) -> bool {
        matches!(self, Self::Http1)
    }

    pub(super) fn is_http2(&self) -> bool {
        matches!(self, Self::Http2(_))
    }
}

impl Http2Frames {
    fn received(&mut self, bytes: &[u8]) -> Progress {
        let Self {
            reader,
            head_is_open,
            stream,
            is_new,
            heads,
        } = self;
        reader.read(bytes, |frame| {
            if frame.kind == HEADERS {
                *is_new = frame.stream > *stream;
                *stream = frame.stream.max(*stream);
            }
            if frame.kind == HEADERS || frame.kind == CONTINUATION {
                *head_is_open = frame.flags & END_HEADERS == 0;
                if !*head_is_open && std::mem::take(is_new) {
                    *heads += 1;
                }
            }
        });
        if self.reader.filled > 0 || self.head_is_open {
            Progress::Head
        } else {
            Progress::Whole
        }
    }
}

impl FrameReader {
    /// Takes note of bytes in the order in which they came, and tells each frame that ends in them.
    pub(super) fn read(&mut self, mut bytes: &[u8], mut ended: impl FnMut(&FrameEnd)) {
        while !bytes.is_empty() {
            if self.filled < self.header.len() {
                let length = bytes.len().min(self.header.len() - self.filled);
                self.header[self.filled..self.filled + length].copy_from_slice(&bytes[..length]);
                self.filled += length;
                bytes = &bytes[length..];
                if self.filled < self.header.len() {
                    break;
                }
                let [a, b, c, ..] = self.header;
                self.length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                self.left = self.length;
            }
            let length = bytes.len().min(self.left);
            let at = self.length - self.left;
            if at < KEPT {
                let kept = length.min(KEPT - at);
                self.kept[at..at + kept].copy_from_slice(&bytes[..kept]);
            }
            self.left -= length;
            bytes = &bytes[length..];
            if self.left == 0 {
                self.filled = 0;
                ended(&self.end());
            }
        }
    }

    fn end(&self) -> FrameEnd {
        let [.., a, b, c, d] = self.header;
        FrameEnd {
            kind: self.header[3],
            flags: self.header[4],
            stream: u32::from_be_bytes([a & 0x7f, b, c, d]),
            length: self.length,
            kept: self.kept,
        }
    }
}

impl FrameEnd {
    /// Returns the payload, or nothing of one that is longer than was kept.
    pub(super) fn payload(&self) -> &[u8] {
        self.kept.get(..self.length).unwrap_or_default()
    }

    /// Returns the number that the payload begins with: of RST_STREAM, why.
    pub(super) fn number(&self) -> Option<u32> {
        let bytes = self.payload().get(..4)?;
        bytes.try_into().map(u32::from_be_bytes).ok()
    }

    #[cfg(test)]
    pub(super) fn new(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Self {
        let mut kept = [0; KEPT];
        kept[..payload.len()].copy_from_slice(payload);
        let length = payload.len();
        Self {
            kind,
            flags,
            stream,
            length,
            kept,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: usize) -> Vec<u8> {
        let length = u8::try_from(payload).unwrap();
        let mut frame = vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        frame.resize(9 + payload, 0);
        frame
    }

    fn after_preface() -> Frames {
        let mut frames = Frames::default();
        assert_eq!(frames.received(PREFACE), Progress::Whole);
        frames
    }

    #[test]
    fn every_byte_of_http1_begins_a_head() {
        let mut frames = Frames::default();
        assert_eq!(frames.received(b"P"), Progress::Head);
        assert_eq!(frames.received(b"OST / HTTP/1.1\r\n"), Progress::Head);
    }

    #[test]
    fn whole_frames_that_belong_to_no_request_begin_nothing() {
        let mut frames = after_preface();
        let mut bytes = frame(4, 1, 0);
        bytes.extend(frame(6, 0, 8));
        bytes.extend(frame(8, 0, 4));
        assert_eq!(frames.received(&bytes), Progress::Whole);
    }

    #[test]
    fn a_frame_in_two_pieces_is_outstanding_until_its_end() {
        let ping = frame(6, 0, 8);
        for cut in 1..ping.len() {
            let mut frames = after_preface();
            assert_eq!(frames.received(&ping[..cut]), Progress::Head, "{cut}");
            assert_eq!(frames.received(&ping[cut..]), Progress::Whole, "{cut}");
        }
    }

    #[test]
    fn headers_are_outstanding_until_their_last_continuation() {
        let mut frames = after_preface();
        assert_eq!(frames.received(&frame(HEADERS, 0, 10)), Progress::Head);
        assert_eq!(frames.received(&frame(CONTINUATION, 0, 3)), Progress::Head);
        let last = frame(CONTINUATION, END_HEADERS, 3);
        assert_eq!(frames.received(&last), Progress::Whole);
    }

    #[test]
    fn a_head_is_counted_when_it_is_whole_and_trailers_are_none() {
        let mut frames = after_preface();
        frames.received(&frame(HEADERS, 0, 10));
        assert_eq!(frames.take_heads(), 0);
        frames.received(&frame(CONTINUATION, END_HEADERS, 3));
        assert_eq!(frames.take_heads(), 1);
        // Of the same stream.
        frames.received(&frame(HEADERS, END_HEADERS, 3));
        assert_eq!(frames.take_heads(), 0);
    }

    #[test]
    fn a_frame_is_told_with_the_beginning_of_its_payload_however_it_comes() {
        let reset = [0, 0, 4, 3, 0, 0, 0, 0, 9, 0, 0, 0, 7];
        for cut in 0..reset.len() {
            let (mut reader, mut told) = (FrameReader::default(), Vec::new());
            for piece in [&reset[..cut], &reset[cut..]] {
                reader.read(piece, |frame| told.push((frame.stream, frame.number())));
            }
            assert_eq!(told, [(9, Some(7))], "{cut}");
        }
    }
}
