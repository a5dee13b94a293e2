//! Mentions: whom a text calls by an `@` and a login or a name.
//!
//! A text and the names of everybody come in; people go out. The longest name that fits is meant: with Ada and Ada Lovelace
//! here, `@Ada Lovelace` calls the second one. Small and capital letters are one, and a name ends where a word ends.
//! The page reads texts by the same rules (`public/mentions.js`), to mark what was counted here.
//! Knows no rooms: whoever asks leaves out those who are not in it.
//! Left out: calling everybody at once; and code, in which an `@` calls as it does elsewhere.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::store::{User, UserId};
use crate::config::chat as limits;

/// Everybody by what they may be called.
#[derive(Debug, Default)]
pub(super) struct Called(HashMap<String, Vec<UserId>>);

impl Called {
    pub(super) fn add(&mut self, id: UserId, user: &User) {
        for name in names(user) {
            let ids = self.0.entry(name).or_default();
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }

    pub(super) fn remove(&mut self, id: UserId, user: &User) {
        for name in names(user) {
            if let Some(ids) = self.0.get_mut(&name) {
                ids.retain(|other| *other != id);
                if ids.is_empty() {
                    self.0.remove(&name);
                }
            }
        }
    }
}

fn names(user: &User) -> [String; 2] {
    [caseless(&user.login), caseless(&user.name)]
}

fn caseless(text: &str) -> String {
    text.nfkc().collect::<String>().to_lowercase()
}

/// Whom a text calls, each once.
pub(super) fn called(text: &str, everybody: &Called) -> Vec<UserId> {
    let mut found = Vec::new();
    let signs = text
        .match_indices('@')
        .filter(|(at, _)| !text[..*at].chars().next_back().is_some_and(is_of_a_word));
    for (at, sign) in signs.take(limits::MENTIONS_MAX) {
        for id in longest(&text[at + sign.len()..], everybody) {
            if !found.contains(id) {
                found.push(*id);
            }
        }
    }
    found
}

/// Whoever has the longest name that the text begins with.
fn longest<'a>(text: &str, everybody: &'a Called) -> &'a [UserId] {
    let ends = text
        .char_indices()
        .map(|(at, c)| (at + c.len_utf8(), c))
        .take(limits::NAME_CHARS_MAX)
        .filter(|(end, _)| !text[*end..].chars().next().is_some_and(is_of_a_word));
    let ends: Vec<usize> = ends.map(|(end, _)| end).collect();
    ends.iter()
        .rev()
        .find_map(|end| everybody.0.get(&caseless(&text[..*end])))
        .map_or(&[], Vec::as_slice)
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::super::store::{Role, State};
    use super::*;

    const ADA: UserId = UserId(1);
    const BO: UserId = UserId(2);
    const CEM: UserId = UserId(3);
    const LOVELACE: UserId = UserId(4);

    fn user(id: UserId, login: &str, name: &str) -> User {
        User {
            id,
            login: login.to_owned(),
            name: name.to_owned(),
            role: Role::Member,
            state: State::Active,
            muted_until: None,
        }
    }

    fn everybody() -> Called {
        let mut called = Called::default();
        for user in [
            user(ADA, "ada", "Ada"),
            user(BO, "bo.b", "Bo Berg"),
            user(CEM, "cem_y", "Cem Yıldız"),
            user(LOVELACE, "countess", "Ada Lovelace"),
        ] {
            called.add(user.id, &user);
        }
        called
    }

    #[test]
    fn a_text_calls_those_it_names_after_an_at_sign() {
        let table: [(&str, &[UserId]); 20] = [
            ("@ada", &[ADA]),
            ("hello @ADA, hello @Bo Berg!", &[ADA, BO]),
            ("(@ada)", &[ADA]),
            ("@ada's boat", &[ADA]),
            ("@ada. And @ada again", &[ADA]),
            ("@bo.b. says", &[BO]),
            ("@Cem Yıldız\u{301}", &[]),
            ("@cem yıldız and @cem_y", &[CEM]),
            ("@Ada Lovelace", &[LOVELACE]),
            ("@Ada Love", &[ADA]),
            ("@countess", &[LOVELACE]),
            ("\u{ff20}ada", &[]),
            ("@\u{ff41}da", &[ADA]),
            ("@adamant", &[]),
            ("@ada_", &[]),
            ("mail ada@ada.example", &[]),
            ("@@ada", &[ADA]),
            ("@ ada", &[]),
            ("@bo", &[]),
            ("@", &[]),
        ];
        for (text, wanted) in table {
            assert_eq!(called(text, &everybody()), wanted, "{text}");
        }
    }

    #[test]
    fn who_has_another_name_is_called_by_the_new_one() {
        let mut called = everybody();
        called.remove(ADA, &user(ADA, "ada", "Ada"));
        called.add(ADA, &user(ADA, "ada", "Augusta"));
        assert_eq!(super::called("@augusta @ada", &called), [ADA]);
        called.remove(ADA, &user(ADA, "ada", "Augusta"));
        assert_eq!(super::called("@augusta @ada", &called), []);
    }

    #[test]
    fn two_of_one_name_are_both_called() {
        let mut called = everybody();
        called.add(UserId(9), &user(UserId(9), "bo2", "Bo Berg"));
        assert_eq!(super::called("@Bo Berg", &called), [BO, UserId(9)]);
    }

    #[test]
    fn so_many_signs_are_looked_at_and_no_more() {
        let signs = |count| format!("{}@ada", "@x ".repeat(count));
        let most = limits::MENTIONS_MAX;
        assert_eq!(called(&signs(most - 1), &everybody()), [ADA]);
        assert_eq!(called(&signs(most), &everybody()), []);
    }
}
