//! Secrets: passwords, session tokens and the codes that let somebody in.
//!
//! A secret comes in, or chance to make one of; a hash goes out. Nothing here is kept: the store has the hashes, the
//! person has the secret.
//! Knows no user: who a password belongs to is the caller's business.
//! Left out: a pepper beside the database. Whoever takes the database from a small host takes the file next to it too.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD};
use rand::Rng as _;
use rand::rngs::StdRng;
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization as _;

use crate::config::chat;

/// A SHA-256: what is stored of tokens and codes.
pub type Digest = [u8; 32];

/// What an unknown login is checked against, so that it takes as long as a known one: a hash like [`Hasher::hash`]
/// makes them, that no password has.
pub const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Bytes of a hash, and of a salt (what the argon2 reference program makes by default, and RFC 9106, section 3.1).
const HASH_BYTES: usize = 32;
const SALT_BYTES: usize = 16;

/// What the hash lane owns: argon2id, one password at a time, in one block of memory.
///
/// The block lives from the first hash of a batch to [`Hasher::rest`].
pub struct Hasher {
    blocks: Vec<Block>,
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher")
            .field("blocks", &self.blocks.len())
            .finish()
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

impl Hasher {
    /// A hasher that holds no memory yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { blocks: Vec::new() }
    }

    /// Hashes a new password into a PHC string.
    #[must_use]
    pub fn hash(&mut self, password: &str, salt: &[u8; SALT_BYTES]) -> String {
        let params = Params::new(chat::HASH_KIB, chat::HASH_PASSES, 1, None)
            .expect("the parameters of the contract are valid");
        let mut hash = [0; HASH_BYTES];
        let done = self.fill(
            Algorithm::Argon2id,
            Version::V0x13,
            params,
            password,
            salt,
            &mut hash,
        );
        assert!(
            done,
            "salt, output and memory have the sizes that argon2 asks for"
        );
        format!(
            "$argon2id$v=19$m={},t={},p=1${}${}",
            chat::HASH_KIB,
            chat::HASH_PASSES,
            BASE64_NOPAD.encode(salt),
            BASE64_NOPAD.encode(&hash),
        )
    }

    /// Whether this is the password. A stored hash that cannot be read, or asks for too much memory, is nobody's.
    #[must_use]
    pub fn verify(&mut self, password: &str, phc: &str) -> bool {
        // Nothing that was ever set is longer; hashing it would be work for nothing.
        if password.len() > chat::PASSWORD_BYTES_MAX {
            return self.verify("", NOBODY);
        }
        let Ok(stored) = PasswordHash::new(phc) else {
            return false;
        };
        let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
            return false;
        };
        let (Ok(algorithm), Ok(params)) = (
            Algorithm::try_from(stored.algorithm.as_str()),
            Params::try_from(&stored),
        ) else {
            return false;
        };
        let version = stored.version.map_or(Ok(Version::V0x13), Version::try_from);
        let (Ok(version), true) = (version, params.m_cost() <= chat::HASH_KIB_MAX) else {
            return false;
        };
        let mut hash = vec![0; expected.len()];
        self.fill(algorithm, version, params, password, salt, &mut hash)
            // In constant time.
            && argon2::password_hash::phc::Output::new(&hash).is_ok_and(|hash| hash == *expected)
    }

    /// Gives the memory back. To be called at the end of each batch.
    pub fn rest(&mut self) {
        self.blocks = Vec::new();
    }

    fn fill(
        &mut self,
        algorithm: Algorithm,
        version: Version,
        params: Params,
        password: &str,
        salt: &[u8],
        hash: &mut [u8],
    ) -> bool {
        // glibc keeps what it has once mapped and freed, for later, but never above 32 MiB (DEFAULT_MMAP_THRESHOLD_MAX in
        // its malloc.c): a larger block is mapped anew each time and given back at once. Only what is used counts as
        // memory, so we ask for more addresses than we touch.
        const CAPACITY: usize = 33 * 1024 * 1024 / Block::SIZE;
        let count = params.block_count();
        if self.blocks.capacity() < count.max(CAPACITY) {
            self.blocks = Vec::with_capacity(count.max(CAPACITY));
        }
        if self.blocks.len() < count {
            self.blocks.resize(count, Block::new());
        }
        // The same characters, typed on another system, may come composed otherwise (NIST SP 800-63B, section 5.1.1.2).
        let password: String = password.nfkc().collect();
        Argon2::new(algorithm, version, params)
            .hash_password_into_with_memory(password.as_bytes(), salt, hash, &mut self.blocks[..])
            .is_ok()
    }
}

/// A salt for [`Hasher::hash`].
pub fn salt(chance: &mut StdRng) -> [u8; SALT_BYTES] {
    let mut salt = [0; SALT_BYTES];
    chance.fill_bytes(&mut salt);
    salt
}

/// A session's token: 256 bits as 43 URL-safe characters.
pub fn session_token(chance: &mut StdRng) -> String {
    let mut token = [0; 32];
    chance.fill_bytes(&mut token);
    BASE64URL_NOPAD.encode(&token)
}

/// What is stored of a token. It needs no salt and no work factor: nobody guesses 256 bits.
#[must_use]
pub fn token_hash(token: &str) -> Digest {
    Sha256::digest(token.as_bytes()).into()
}

/// Crockford's base 32: no I, L, O (read as 1, 1, 0) and no U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of the two kinds of code, five bits each.
const FIRST_RUN_CHARS: usize = 8;
const INVITE_CHARS: usize = 16;

/// A code for the first admin, like `7KQ2-M4XR`: 40 bits, enough for what works once and for half an hour.
pub fn first_run_code(chance: &mut StdRng) -> String {
    code(chance, FIRST_RUN_CHARS)
}

/// A code for an invite, like `7KQ2-M4XR-0000-ZZZZ`: 80 bits.
pub fn invite_code(chance: &mut StdRng) -> String {
    code(chance, INVITE_CHARS)
}

/// A name for something that went wrong: no secret, and hardly twice the same in one log.
pub fn reference(chance: &mut StdRng) -> [u8; 6] {
    std::array::from_fn(|_| ALPHABET[(chance.next_u32() % 32) as usize])
}

fn code(chance: &mut StdRng, chars: usize) -> String {
    let mut code = String::with_capacity(chars + chars / 4);
    for at in 0..chars {
        if at > 0 && at % 4 == 0 {
            code.push('-');
        }
        // 32 divides what a `u32` counts to, so every character is as likely.
        code.push(char::from(ALPHABET[(chance.next_u32() % 32) as usize]));
    }
    code
}

/// What is stored of a code; `None` if this cannot be one. Case, spaces and hyphens do not matter, and I, L and O are taken
/// for what they were read from.
#[must_use]
pub fn code_hash(typed: &str) -> Option<Digest> {
    let mut code = String::with_capacity(INVITE_CHARS);
    for c in typed.chars() {
        let c = match c.to_ascii_uppercase() {
            '-' | '\u{2010}'..='\u{2015}' => continue,
            c if c.is_whitespace() => continue,
            'I' | 'L' => '1',
            'O' => '0',
            c => c,
        };
        let known = u8::try_from(c).is_ok_and(|c| ALPHABET.contains(&c));
        if !known || code.len() == INVITE_CHARS {
            return None;
        }
        code.push(c);
    }
    let whole = matches!(code.len(), FIRST_RUN_CHARS | INVITE_CHARS);
    whole.then(|| Sha256::digest(code.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    fn chance() -> StdRng {
        StdRng::seed_from_u64(1)
    }

    #[test]
    fn a_password_is_known_again_and_another_is_not() {
        let mut hasher = Hasher::new();
        let phc = hasher.hash("correct horse", &salt(&mut chance()));
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(hasher.verify("correct horse", &phc));
        assert!(!hasher.verify("correct horsf", &phc));
        assert!(!hasher.verify("", &phc));
        hasher.rest();
        assert!(
            hasher.verify("correct horse", &phc),
            "after a rest as before"
        );
    }

    #[test]
    fn a_password_is_the_same_however_it_is_composed() {
        let mut hasher = Hasher::new();
        let phc = hasher.hash("caf\u{e9} au lait", &[7; 16]);
        assert!(hasher.verify("cafe\u{301} au lait", &phc));
    }

    /// Made by the argon2 reference program: `echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1` (its test.c).
    #[test]
    fn the_hash_is_that_of_the_reference_program() {
        let phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let mut hasher = Hasher::new();
        assert!(hasher.verify("password", phc));
        assert!(!hasher.verify("Password", phc));
    }

    #[test]
    fn nobody_costs_what_somebody_costs_and_has_no_password() {
        let mut hasher = Hasher::new();
        let phc = hasher.hash("password", &[0; 16]);
        let params = |phc: &str| phc.rsplitn(3, '$').nth(2).unwrap().to_owned();
        assert_eq!(params(NOBODY), params(&phc));
        assert_eq!(NOBODY.len(), phc.len());
        assert!(PasswordHash::new(NOBODY).is_ok());
        assert!(!hasher.verify("password", NOBODY));
        assert!(
            hasher.blocks.len() >= chat::HASH_KIB as usize,
            "it did the work"
        );
    }

    #[test]
    fn what_is_no_hash_is_nobodys() {
        let mut hasher = Hasher::new();
        for phc in [
            "",
            "password",
            "$argon2id$v=19$m=19456,t=2,p=1",
            "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=15,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=4000000,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert!(!hasher.verify("", phc), "{phc}");
        }
        assert_eq!(hasher.blocks.capacity(), 0, "and costs nothing");
        assert!(!hasher.verify(&"x".repeat(100_000), NOBODY));
    }

    #[test]
    fn a_resting_hasher_holds_no_memory() {
        let mut hasher = Hasher::new();
        let _ = hasher.hash("password", &[0; 16]);
        hasher.rest();
        assert_eq!(hasher.blocks.capacity(), 0);
    }

    /// Runs [`the_memory_is_given_back_alone`] in a process of its own, where no other test allocates.
    #[test]
    #[cfg(target_os = "linux")]
    fn the_memory_is_given_back() {
        let me = std::env::current_exe().unwrap();
        let ended = std::process::Command::new(me)
            .args([
                "--ignored",
                "--exact",
                "chat::accounts::tests::the_memory_is_given_back_alone",
            ])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(
            ended.status.success() && said.contains("1 passed"),
            "{said}"
        );
    }

    #[test]
    #[ignore = "measures the whole process: run by `the_memory_is_given_back`"]
    #[cfg(target_os = "linux")]
    fn the_memory_is_given_back_alone() {
        let resident_kib = || -> u64 {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let line = status
                .lines()
                .find(|line| line.starts_with("RssAnon:"))
                .unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        let mut hasher = Hasher::new();
        let before = resident_kib();
        for round in 0..4 {
            let phc = hasher.hash("password", &[round; 16]);
            assert!(hasher.verify("password", &phc));
            let busy = resident_kib();
            assert!(
                busy > before + 18 * 1024,
                "measured: {busy} against {before}"
            );
            assert!(
                busy < before + 22 * 1024,
                "one block, not two: {busy} against {before}"
            );
            hasher.rest();
            let after = resident_kib();
            assert!(
                after < before + 1024,
                "round {round}: {after} against {before}"
            );
        }
    }

    #[test]
    fn tokens_are_43_url_safe_characters_and_never_twice_the_same() {
        let mut chance = chance();
        let one = session_token(&mut chance);
        assert_eq!(one.len(), 43);
        assert!(
            one.bytes()
                .all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
        );
        assert_ne!(one, session_token(&mut chance));
        assert_ne!(token_hash(&one), token_hash("other"));
    }

    #[test]
    fn the_hash_of_a_token_is_sha_256() {
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(data_encoding::HEXLOWER.encode(&token_hash("abc")), abc);
    }

    #[test]
    fn codes_are_read_as_people_type_them() {
        let mut chance = chance();
        let first = first_run_code(&mut chance);
        assert_eq!(first.len(), 9);
        let invite = invite_code(&mut chance);
        assert_eq!(invite.len(), 19);
        for code in [first, invite] {
            let hash = code_hash(&code).unwrap();
            assert_eq!(code_hash(&code.to_lowercase()), Some(hash));
            assert_eq!(code_hash(&code.replace('-', "")), Some(hash));
            assert_eq!(
                code_hash(&format!(" {} ", code.replace('-', " \u{2013} "))),
                Some(hash)
            );
        }
        assert_eq!(code_hash("OIL0-1234"), code_hash("0110-1234"));
    }

    #[test]
    fn what_cannot_be_a_code_is_none() {
        let long = "A".repeat(1_000_000);
        for typed in [
            "",
            "ABCD",
            "ABCD-EFG",
            "ABCD-EFGHJ",
            "ABCD-EFGU",
            "ABCD-EFG\u{e9}",
            &long,
        ] {
            assert_eq!(code_hash(typed), None);
        }
    }

    #[test]
    fn codes_use_all_of_the_alphabet() {
        let mut chance = chance();
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..100 {
            seen.extend(invite_code(&mut chance).bytes().filter(|c| *c != b'-'));
        }
        assert_eq!(seen.len(), 32);
    }
}
