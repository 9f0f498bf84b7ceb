//! Whether what a client has sent so far is the unfinished head of a request.
//!
//! Of HTTP/1.1 every byte between two requests begins a head. A client of HTTP/2 also sends frames that
//! belong to no request (SETTINGS, PING, WINDOW_UPDATE): whole, they show that it lives and begin nothing.

/// What a client of HTTP/2 sends first.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

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
    Http2(Frame),
}

/// Where in a frame the client is.
#[derive(Debug, Default)]
pub(super) struct Frame {
    header: [u8; 9],
    filled: usize,
    /// How much of the payload is still to come.
    left: usize,
    /// HEADERS have come without their end.
    head_is_open: bool,
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
            *self = Self::Http2(Frame::default());
        }
        match self {
            Self::Http2(frame) => frame.received(bytes),
            _ => Progress::Head,
        }
    }
}

impl Frame {
    fn received(&mut self, mut bytes: &[u8]) -> Progress {
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
                self.left = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
            }
            let length = bytes.len().min(self.left);
            self.left -= length;
            bytes = &bytes[length..];
            if self.left == 0 {
                self.ended();
            }
        }
        if self.filled > 0 || self.head_is_open {
            Progress::Head
        } else {
            Progress::Whole
        }
    }

    fn ended(&mut self) {
        let (kind, flags) = (self.header[3], self.header[4]);
        if kind == HEADERS || kind == CONTINUATION {
            self.head_is_open = flags & END_HEADERS == 0;
        }
        self.filled = 0;
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
}
