//! Frames: the length in four bytes, the most significant first, and as many bytes of JSON.
//!
//! A length above the limit is refused before anything is read or reserved for it.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How many bytes are reserved for a frame before any of them have come.
const RESERVED: usize = 64 * 1024;
/// The bytes of a length.
pub(super) const HEAD: usize = 4;

/// Why a frame was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    /// It is longer than the limit.
    #[error("a message of {length} bytes is larger than `rpc.max_message`, which is {limit} bytes")]
    TooLarge { length: usize, limit: usize },
    /// The connection ended in front of it.
    #[error("the connection has ended")]
    Ended,
    /// The connection failed.
    #[error("the connection is lost")]
    Io(#[from] io::Error),
}

/// Reads a frame.
///
/// # Cancel safety
///
/// Dropping the future loses what was read: the connection is of no more use.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    limit: usize,
) -> Result<Vec<u8>, FrameError> {
    let mut head = [0; HEAD];
    let mut filled = 0;
    while filled < HEAD {
        match stream.read(&mut head[filled..]).await? {
            0 if filled == 0 => return Err(FrameError::Ended),
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            read => filled += read,
        }
    }
    let length = usize::try_from(u32::from_be_bytes(head)).unwrap_or(usize::MAX);
    if length > limit {
        return Err(FrameError::TooLarge { length, limit });
    }
    let mut body = Vec::with_capacity(length.min(RESERVED));
    let wanted = u64::try_from(length).unwrap_or(u64::MAX);
    stream.take(wanted).read_to_end(&mut body).await?;
    if body.len() < length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(body)
}

/// Puts a message behind its length.
///
/// # Errors
///
/// Returns [`FrameError::TooLarge`] above the limit.
pub(super) fn encode(message: &impl serde::Serialize, limit: usize) -> Result<Vec<u8>, FrameError> {
    let mut frame = vec![0; HEAD];
    serde_json::to_writer(&mut frame, message).map_err(io::Error::from)?;
    let length = frame.len() - HEAD;
    let too_large = FrameError::TooLarge { length, limit };
    let Some(head) = u32::try_from(length).ok().filter(|_| length <= limit) else {
        return Err(too_large);
    };
    frame[..HEAD].copy_from_slice(&head.to_be_bytes());
    Ok(frame)
}

/// Writes what [`encode`] made.
pub(super) async fn write(stream: &mut (impl AsyncWrite + Unpin), frame: &[u8]) -> io::Result<()> {
    stream.write_all(frame).await
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_now(bytes: &[u8], limit: usize) -> Result<Vec<u8>, FrameError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(read(&mut &bytes[..], limit))
    }

    #[test]
    fn a_frame_ends_where_its_length_says() {
        let frame = encode(&"ab", 4).unwrap();
        assert_eq!(frame, b"\0\0\0\x04\"ab\"");
        let two = [&frame[..], b"more"].concat();
        assert_eq!(read_now(&two, 4).unwrap(), b"\"ab\"");
    }

    #[test]
    fn a_frame_above_the_limit_is_refused_by_both_sides_with_the_key() {
        let error = encode(&"abc", 4).unwrap_err().to_string();
        assert!(
            error.contains("5 bytes") && error.contains("rpc.max_message"),
            "{error}"
        );
        let error = read_now(&[0xff; 4], 1024).unwrap_err();
        assert!(
            matches!(error, FrameError::TooLarge { limit: 1024, .. }),
            "{error}"
        );
    }

    #[test]
    fn a_cut_frame_is_an_error_and_no_frame_is_an_end() {
        assert!(matches!(read_now(b"", 9), Err(FrameError::Ended)));
        for cut in [&b"\0\0"[..], b"\0\0\0\x04\"a"] {
            assert!(matches!(read_now(cut, 9), Err(FrameError::Io(_))));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_was_written_is_read(text in ".{0,200}") {
            let frame = encode(&text, 4096).unwrap();
            let body = read_now(&frame, 4096).unwrap();
            prop_assert_eq!(serde_json::from_slice::<String>(&body).unwrap(), text);
        }

        #[test]
        fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(body) = read_now(&bytes, 32) {
                prop_assert_eq!(&body[..], &bytes[HEAD..HEAD + body.len()]);
            }
        }
    }
}
