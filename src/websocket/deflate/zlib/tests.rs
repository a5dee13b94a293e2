use super::*;

fn deflated(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    assert!(Deflater::new(0).deflate(Window::Whole, payload, &mut out));
    out
}

/// RFC 7692 §7.2.3, example by example.
#[test]
fn the_samples_of_the_rfc_are_inflated() {
    let rows: [(&[u8], &[u8]); 6] = [
        (&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], b"Hello"),
        (
            &[
                0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
            ],
            b"Hello",
        ),
        (&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00], b"Hello"),
        (
            &[
                0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
            ],
            b"Hello",
        ),
        (&[0x00], b""),
        (&[], b""),
    ];
    let mut inflater = Inflater::new();
    for (message, payload) in rows {
        let inflated = inflater.inflate(message, 5);
        assert_eq!(inflated.as_deref(), Ok(payload), "{message:x?}");
    }
}

#[test]
fn nothing_is_remembered_from_one_message_to_the_next() {
    let mut inflater = Inflater::new();
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    assert_eq!(inflater.inflate(&hello, 100).as_deref(), Ok(&b"Hello"[..]));
    // §7.2.3.2: "Hello" again, as a reference into the message before.
    let again = [0xf2, 0x00, 0x11, 0x00, 0x00];
    assert_eq!(
        inflater.inflate(&again, 100),
        Err(Violation::InvalidDeflate)
    );
    assert_eq!(inflater.inflate(&hello, 100).as_deref(), Ok(&b"Hello"[..]));
    let payload = b"the same, the same, the same, the same";
    let mut deflater = Deflater::new(0);
    let mut twice = [vec![], vec![]];
    for out in &mut twice {
        assert!(deflater.deflate(Window::Whole, payload, out));
    }
    assert_eq!(twice[0], twice[1]);
}

#[test]
fn what_is_not_deflated_or_does_not_end_is_refused() {
    let whole = deflated(&b"many words and many more ".repeat(20));
    let rows = [
        vec![0xff],
        b"plain text".to_vec(),
        // A block of an unknown kind; a stored block whose lengths differ; one that says it is longer than it is.
        vec![0x06],
        vec![0x00, 0x05, 0x00, 0x05, 0x00],
        vec![0x00, 0xff, 0x7f, 0x00, 0x80, 1, 2],
        // A reference to before the start.
        vec![0xf2, 0x00, 0x11, 0x00, 0x00],
        whole[..whole.len() / 2].to_vec(),
        whole[..whole.len() - 1].to_vec(),
    ];
    let mut inflater = Inflater::new();
    for message in rows {
        let inflated = inflater.inflate(&message, 1_000_000);
        assert_eq!(inflated, Err(Violation::InvalidDeflate), "{message:x?}");
    }
    assert_eq!(Violation::InvalidDeflate.close_code(), 1007);
    assert!(inflater.inflate(&whole, 1_000_000).is_ok());
}

#[test]
fn a_bomb_is_stopped_one_byte_beyond_the_limit() {
    let bomb = deflated(&vec![0; 50_000_000]);
    assert!(bomb.len() < 60_000, "{} bytes", bomb.len());
    let mut inflater = Inflater::new();
    for bytes_max in [0, 1, 999, 1_000_000, 49_999_999] {
        let inflate = inflater.inflate(&bomb, bytes_max);
        assert_eq!(inflate, Err(Violation::TooLong), "{bytes_max}");
        let inflate = inflater.inflate.as_ref().unwrap();
        assert!(inflate.total_out() <= bytes_max as u64 + 1, "{bytes_max}");
    }
    let all = inflater.inflate(&bomb, 50_000_000).unwrap();
    assert_eq!(all.len(), 50_000_000);
    assert!(all.capacity() <= 50_000_001);
}

#[test]
fn a_form_that_is_no_shorter_is_given_up_and_what_was_written_before_it_stays() {
    let mut deflater = Deflater::new(0);
    let noise: Vec<u8> = (0..=255).collect();
    for payload in [&b""[..], b"a", b"abc", &noise] {
        let mut out = b"before".to_vec();
        assert!(!deflater.deflate(Window::Whole, payload, &mut out));
        assert_eq!(out, b"before");
    }
    let mut out = b"before".to_vec();
    assert!(deflater.deflate(Window::Whole, &[b'a'; 100], &mut out));
    assert!(out.starts_with(b"before") && out.len() < 20);
}

#[test]
fn the_small_window_refers_no_further_back_than_it_says() {
    // The second half repeats the first, further back than 512 bytes.
    let noise: Vec<u8> = (0..600_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let payload = [&noise[..], &noise].concat();
    let mut deflater = Deflater::new(0);
    let (mut whole, mut small) = (Vec::new(), Vec::new());
    assert!(deflater.deflate(Window::Whole, &payload, &mut whole));
    assert!(whole.len() < 700);
    assert!(!deflater.deflate(Window::Small, &payload, &mut small));
}

#[test]
fn nothing_is_allocated_before_the_first_use() {
    let (deflater, inflater) = (Deflater::new(1024), Inflater::new());
    assert!(deflater.whole.is_none() && deflater.small.is_none());
    assert!(inflater.inflate.is_none());
}
