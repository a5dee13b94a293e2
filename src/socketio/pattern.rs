//! Patterns for names of namespaces: `/game-{number}`, `/{team}/{room}`.
//!
//! A parameter stands for one or more characters, none of them a slash; everything else stands for itself, and the whole
//! name must fit.
//! Knows names only. Left out: regular expressions, for which [`super::namespaces`] has families that ask a closure.

/// A pattern that was sound when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What stands before the first parameter.
    start: Box<str>,
    /// Each parameter's name, and what stands behind it.
    parameters: Vec<(Box<str>, Box<str>)>,
}

/// Why a text is no pattern: our own fault, told by a panic when a server is described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// A brace is open or closed that has no partner.
    Braces,
    /// A parameter has no name.
    NoName,
    /// Nothing stands between two parameters, so that nobody can tell where one ends.
    Adjacent,
    /// There is no parameter in it: a name is enough.
    NoParameter,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut parts = text.split('{');
        let start = parts.next().unwrap_or_default();
        if start.contains('}') {
            return Err(PatternError::Braces);
        }
        let mut parameters: Vec<(Box<str>, Box<str>)> = Vec::new();
        for part in parts {
            let (name, behind) = part.split_once('}').ok_or(PatternError::Braces)?;
            if behind.contains('}') {
                return Err(PatternError::Braces);
            }
            if name.is_empty() {
                return Err(PatternError::NoName);
            }
            if parameters
                .last()
                .is_some_and(|(_, behind)| behind.is_empty())
            {
                return Err(PatternError::Adjacent);
            }
            parameters.push((name.into(), behind.into()));
        }
        if parameters.is_empty() {
            return Err(PatternError::NoParameter);
        }
        Ok(Self {
            start: start.into(),
            parameters,
        })
    }

    /// Whether a name fits.
    #[must_use]
    pub fn fits(&self, name: &str) -> bool {
        self.values(name).is_some()
    }

    /// What a parameter stands for in a name that fits.
    #[must_use]
    pub fn value<'n>(&self, name: &'n str, parameter: &str) -> Option<&'n str> {
        let values = self.values(name)?;
        let mut pairs = self.parameters.iter().zip(values);
        pairs.find_map(|((known, _), value)| (&**known == parameter).then_some(value))
    }

    /// The earliest end of each parameter is the right one: what it leaves to the next is the most there can be, and a
    /// slash that stands in the way of that one stands in its own way, too.
    fn values<'n>(&self, name: &'n str) -> Option<Vec<&'n str>> {
        let mut rest = name.strip_prefix(&*self.start)?;
        let mut values = Vec::with_capacity(self.parameters.len());
        for (place, (_, behind)) in (1..).zip(&self.parameters) {
            let value = if place == self.parameters.len() {
                rest.strip_suffix(&**behind)?
            } else {
                // A parameter has a character at least, and what is behind it is not looked for inside that.
                let first = rest.chars().next()?.len_utf8();
                &rest[..first + rest[first..].find(&**behind)?]
            };
            if value.is_empty() || value.contains('/') {
                return None;
            }
            rest = rest.get(value.len() + behind.len()..).unwrap_or_default();
            values.push(value);
        }
        Some(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_stand_for_what_is_between() {
        let rows: [(&str, &str, Option<&[&str]>); 14] = [
            ("/game-{n}", "/game-7", Some(&["7"])),
            ("/game-{n}", "/game-", None),
            ("/game-{n}", "/game", None),
            ("/game-{n}", "/game-7/8", None),
            ("/game-{n}", "x/game-7", None),
            ("/{a}/{b}", "/x/y", Some(&["x", "y"])),
            ("/{a}/{b}", "/x/y/z", None),
            ("/{a}/{b}", "//y", None),
            ("/{a}-{b}", "/x-y-z", Some(&["x", "y-z"])),
            ("/{a}-{b}", "/--", None),
            ("/{a}-{b}", "/---", Some(&["-", "-"])),
            ("/{a}-end", "/x-end", Some(&["x"])),
            ("/{a}-end", "/x-end-end", Some(&["x-end"])),
            ("/{é}ü", "/ÄÖü", Some(&["ÄÖ"])),
        ];
        for (pattern, name, values) in rows {
            let found = Pattern::parse(pattern).unwrap().values(name);
            assert_eq!(found.as_deref(), values, "{pattern} {name}");
        }
        let pattern = Pattern::parse("/{team}/{room}").unwrap();
        assert!(pattern.fits("/a/b"));
        assert_eq!(pattern.value("/a/b", "room"), Some("b"));
        assert_eq!(pattern.value("/a/b", "roof"), None);
        assert_eq!(pattern.value("/a", "room"), None);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for (text, error) in [
            ("/a", PatternError::NoParameter),
            ("", PatternError::NoParameter),
            ("/{a", PatternError::Braces),
            ("/a}", PatternError::Braces),
            ("/{a}}", PatternError::Braces),
            ("/{a{b}}", PatternError::Braces),
            ("/{}", PatternError::NoName),
            ("/{a}{b}", PatternError::Adjacent),
        ] {
            assert_eq!(Pattern::parse(text), Err(error), "{text}");
        }
    }
}
