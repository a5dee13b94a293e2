//! Logins, names and passwords: what people may call themselves, and when two names are one.
//!
//! Text as it was typed comes in; a checked name goes out, or a [`Refusal`]. Every name has a *key*, the same for all
//! spellings that a reader would take for one another; it is the keys that must be unique.
//! Knows no store and no hash.
//! Left out: the full table of confusables (UTS #39 has some 6,000). Ours has the letters that make Latin words.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::config::chat;

/// Why a text is not taken for a name or a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Fewer than it takes.
    TooShort,
    /// More than there is room for.
    TooLong,
    /// A character that has no place there: in a login anything but letters, digits, dots, underscores and hyphens.
    Character,
    /// More marks on one letter than any script has.
    Marks,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooShort => "too short",
            Self::TooLong => "too long",
            Self::Character => "contains a character that is not allowed",
            Self::Marks => "has too many marks on one letter",
        })
    }
}

impl std::error::Error for Refusal {}

/// What somebody signs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    shown: String,
    key: String,
}

impl Login {
    /// Checks a login: letters and digits of any script, and `.`, `_`, `-` after the first.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn parse(typed: &str) -> Result<Self, Refusal> {
        // Before normalising, which may make eighteen characters of one; and nothing that long will fit.
        if typed.len() > 64 * chat::LOGIN_CHARS_MAX {
            return Err(Refusal::TooLong);
        }
        let shown: String = typed.trim().nfkc().collect();
        match shown.chars().count() {
            n if n < chat::LOGIN_CHARS_MIN => return Err(Refusal::TooShort),
            n if n > chat::LOGIN_CHARS_MAX => return Err(Refusal::TooLong),
            _ => {}
        }
        let allowed = |(at, c): (usize, char)| {
            let inside = is_combining_mark(c) || matches!(c, '.' | '_' | '-');
            (c.is_alphanumeric() && !is_combining_mark(c) || at > 0 && inside) && !is_unseen(c)
        };
        if !shown.chars().enumerate().all(allowed) {
            return Err(Refusal::Character);
        }
        marks(&shown)?;
        let key = folded(&shown);
        Ok(Self { shown, key })
    }

    /// As it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// The same for all logins that look like this one.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// The name of a person, a room or the workspace: one line of text that shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    shown: String,
    key: String,
}

impl Name {
    /// Cleans and checks a name. Controls and marks of direction are taken out, since they change how what is around
    /// them reads; spaces become one.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn parse(typed: &str) -> Result<Self, Refusal> {
        if typed.len() > 64 * chat::NAME_CHARS_MAX {
            return Err(Refusal::TooLong);
        }
        // Joiners and variation selectors stay: emoji and several scripts are written with them.
        let is_glue = |c: char| matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}');
        let clean: String = typed
            .nfc()
            .filter(|c| c.is_whitespace() || is_glue(*c) || !is_unseen(*c))
            .collect();
        let words: Vec<&str> = clean.split_whitespace().collect();
        let shown = words.join(" ");
        // At least something that is neither glue nor a mark on nothing.
        if !shown.chars().any(|c| !is_glue(c) && !is_combining_mark(c)) {
            return Err(Refusal::TooShort);
        }
        if shown.chars().count() > chat::NAME_CHARS_MAX {
            return Err(Refusal::TooLong);
        }
        marks(&shown)?;
        let key = folded(&shown);
        Ok(Self { shown, key })
    }

    /// As it is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// The same for all names that look like this one.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Whether a new password is long enough, and not too long. An old one is simply right or wrong.
///
/// # Errors
/// [`Refusal::TooShort`] or [`Refusal::TooLong`].
pub const fn check_password(password: &str) -> Result<(), Refusal> {
    if password.len() < chat::PASSWORD_BYTES_MIN {
        return Err(Refusal::TooShort);
    }
    if password.len() > chat::PASSWORD_BYTES_MAX {
        return Err(Refusal::TooLong);
    }
    Ok(())
}

fn marks(text: &str) -> Result<(), Refusal> {
    let mut row = 0;
    // As written out in full: a letter and its mark may be one character or two.
    for c in text.nfd() {
        row = if is_combining_mark(c) { row + 1 } else { 0 };
        if row > chat::MARKS_IN_A_ROW_MAX {
            return Err(Refusal::Marks);
        }
    }
    Ok(())
}

/// One spelling for all that look alike: compatibility forms, case, glue and confusable letters are gone.
fn folded(text: &str) -> String {
    let caseless = text
        .nfkc()
        .filter(|c| !is_unseen(*c))
        // Down, up and down again makes one of ẞ, ß and ss, and of σ and ς, as full case folding does.
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfkc();
    let mut key = String::with_capacity(text.len());
    for c in caseless {
        // A dot over an i (from İ) is no difference.
        if c == '\u{307}' && key.ends_with('l') {
            continue;
        }
        key.push(lookalike(c));
    }
    key
}

/// The Latin letter that a lower-case letter, or its capital, is mistaken for.
const fn lookalike(c: char) -> char {
    match c {
        // A capital i, a small L and a one are a stroke each. It costs that Ian and Lan cannot both be here.
        '1' | 'i' | 'ı' | 'і' | 'ι' | 'ӏ' | '|' => 'l',
        '0' | 'о' | 'ο' => 'o',
        'а' | 'α' => 'a',
        'в' | 'β' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ε' => 'e',
        'н' | 'η' => 'h',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' | 'μ' => 'm',
        'ν' => 'n',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'ԝ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'υ' | 'ү' => 'y',
        'ζ' => 'z',
        other => other,
    }
}

/// Characters that show nothing of their own: controls, formats, marks of direction, fillers and selectors (the
/// default-ignorable code points of Unicode, and the general category Cf), and those nobody has assigned a look.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{8e2}'
            | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}'
            | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1345f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(login: &str) -> String {
        Login::parse(login).unwrap().key
    }

    #[test]
    fn logins_that_look_alike_have_one_key() {
        let table = [
            ("anna", "ANNA"),
            ("anna", "Αnnа"),            // Greek capital alpha, Cyrillic a
            ("paypal", "рауpаl"),        // Cyrillic r, a, u, a
            ("admin", "adm1n"),          // one
            ("admin", "AdmIn"),          // capital i
            ("admin", "admln"),          // small L
            ("admin", "\u{ff41}dmin"),   // full-width a
            ("bob", "b0b"),              // zero
            ("strasse", "Straße"),       // one letter for two
            ("STRAẞE", "strasse"),       // and its capital
            ("οδος", "ΟΔΟΣ"),            // final sigma
            ("istanbul", "İstanbul"),    // dotted capital i
            ("istanbul", "ıstanbul"),    // dotless i
            ("café", "cafe\u{301}"),     // composed and not
            ("office", "o\u{fb03}ce"),   // ligature
            ("kelvin", "\u{212a}elvin"), // the sign
            ("моя", "МОЯ"),              // a script of its own
        ];
        for (one, other) in table {
            assert_eq!(key(one), key(other), "{one} and {other}");
        }
    }

    #[test]
    fn logins_that_differ_have_two_keys() {
        let table = [
            ("anna", "anne"),
            ("a.b", "a_b"),
            ("ab", "a-b"),
            ("cafe", "café"),
            ("anna1", "anna2"),
            ("李雷", "李蕾"),
        ];
        for (one, other) in table {
            assert_ne!(key(one), key(other), "{one} and {other}");
        }
    }

    #[test]
    fn a_key_is_its_own_key() {
        for login in [
            "İstanbul",
            "Straße",
            "ΟΔΟΣ",
            "рауpаl",
            "o\u{fb03}ce",
            "हिन्दी",
            "Ǆ1",
        ] {
            let once = key(login);
            assert_eq!(folded(&once), once, "{login}");
        }
    }

    #[test]
    fn a_login_is_shown_as_it_was_typed() {
        assert_eq!(Login::parse("  Anna.B ").unwrap().as_str(), "Anna.B");
        assert_eq!(Login::parse("हिन्दी").unwrap().as_str(), "हिन्दी");
    }

    #[test]
    fn logins_are_refused_by_rule() {
        let long = "x".repeat(33);
        let huge = "\u{fdfa}".repeat(100_000);
        let table = [
            ("", Refusal::TooShort),
            ("a", Refusal::TooShort),
            ("   a   ", Refusal::TooShort),
            (&long, Refusal::TooLong),
            (&huge, Refusal::TooLong),
            ("a b", Refusal::Character),
            ("a@b", Refusal::Character),
            (".ab", Refusal::Character),
            ("-ab", Refusal::Character),
            ("a\u{202e}b", Refusal::Character), // right-to-left override
            ("a\u{200b}b", Refusal::Character), // zero width
            ("a\u{200d}b", Refusal::Character), // joiner
            ("a\u{3164}b", Refusal::Character), // filler, which is a letter
            ("a\u{fe0f}b", Refusal::Character), // selector, which is a mark
            ("a\u{0}b", Refusal::Character),
            ("\u{301}ab", Refusal::Character),
            ("a😀b", Refusal::Character),
            ("a\u{301}\u{302}\u{303}\u{304}\u{305}b", Refusal::Marks),
        ];
        for (login, refusal) in table {
            assert_eq!(Login::parse(login), Err(refusal), "{login:?}");
        }
        assert!(Login::parse(&"x".repeat(32)).is_ok());
        assert!(Login::parse("ab").is_ok());
    }

    #[test]
    fn names_are_cleaned() {
        let table = [
            ("  Anna \t Bea\n", "Anna Bea"),
            ("evil\u{202e}gpj.exe", "evilgpj.exe"),
            ("a\u{0}b\u{7}c", "abc"),
            (
                "👩\u{200d}🚀 Sally ❤\u{fe0f}",
                "👩\u{200d}🚀 Sally ❤\u{fe0f}",
            ),
            ("<b>O'Neil & \"co\"</b>", "<b>O'Neil & \"co\"</b>"),
        ];
        for (typed, shown) in table {
            assert_eq!(Name::parse(typed).unwrap().as_str(), shown);
        }
        assert_eq!(
            Name::parse("General").unwrap().key(),
            Name::parse("GENERAL").unwrap().key()
        );
    }

    #[test]
    fn names_are_refused_by_rule() {
        for empty in ["", "   ", "\u{200d}\u{fe0f}", "\u{202e}", "\u{301}"] {
            assert_eq!(Name::parse(empty), Err(Refusal::TooShort), "{empty:?}");
        }
        assert_eq!(Name::parse(&"x".repeat(65)), Err(Refusal::TooLong));
        assert_eq!(Name::parse(&"x".repeat(1_000_000)), Err(Refusal::TooLong));
        assert!(Name::parse(&"x".repeat(64)).is_ok());
        let tall = format!("Z{}algo", "\u{335}".repeat(5));
        assert_eq!(Name::parse(&tall), Err(Refusal::Marks));
    }

    #[test]
    fn passwords_have_eight_to_a_thousand_bytes() {
        assert_eq!(check_password("1234567"), Err(Refusal::TooShort));
        assert_eq!(check_password("12345678"), Ok(()));
        assert_eq!(check_password(&"x".repeat(1024)), Ok(()));
        assert_eq!(check_password(&"x".repeat(1025)), Err(Refusal::TooLong));
    }
}
