//! Routes: which method and path mean what.
//!
//! A table is filled at the start; a method and a raw path come in, the route's value and the path's parameter go out.
//! Never knows what a value is: a number, a function, a name.
//! Left out: patterns with several parameters, wildcards and precedence. A path is an exact one or ends in one parameter,
//! so the order of routes means nothing.

use super::Method;

/// A table of routes to a `T` each.
#[derive(Clone, Debug)]
pub struct Routes<T> {
    rows: Vec<Row<T>>,
}

#[derive(Clone, Debug)]
struct Row<T> {
    method: Method,
    pattern: Pattern,
    to: T,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Exact(String),
    /// Whatever starts so and goes on with one segment that is not empty.
    Below(String),
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'r, 'p, T> {
    /// A route, and the last segment of the path as it was sent if the route has a parameter (see [`super::query::segment`]).
    Route(&'r T, Option<&'p str>),
    /// No route has such a path.
    NotFound,
    /// The path is there, the method is not. `OPTIONS` always ends here, for whoever answers it.
    MethodNotAllowed {
        /// The value of the Allow header.
        allow: String,
    },
}

impl<T> Default for Routes<T> {
    fn default() -> Self {
        Self { rows: Vec::new() }
    }
}

impl<T> Routes<T> {
    /// No routes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route. The pattern is a path (`/session`), or one that ends in a parameter (`/join/{code}`).
    ///
    /// # Panics
    /// If the pattern is neither, or the same route is there already: both are mistakes of whoever wrote the table.
    pub fn add(&mut self, method: Method, pattern: &str, to: T) {
        let pattern = Pattern::read(pattern);
        let taken = self
            .rows
            .iter()
            .any(|row| row.method == method && row.pattern == pattern);
        assert!(
            !taken,
            "the route {} {pattern:?} is there already",
            method.name()
        );
        self.rows.push(Row {
            method,
            pattern,
            to,
        });
    }

    /// The route of a method and a raw path. An exact path goes before a parameter; HEAD is served by GET's route.
    #[must_use]
    pub fn find<'p>(&self, method: Method, path: &'p str) -> Found<'_, 'p, T> {
        let there: Vec<_> = self
            .rows
            .iter()
            .filter(|row| path == "*" || row.pattern.matches(path))
            .collect();
        if there.is_empty() {
            return Found::NotFound;
        }
        let wanted = if method == Method::Head {
            Method::Get
        } else {
            method
        };
        let chosen = there
            .iter()
            .filter(|row| path != "*" && (row.method == method || row.method == wanted))
            .min_by_key(|row| {
                (
                    row.method != method,
                    matches!(row.pattern, Pattern::Below(_)),
                )
            });
        match chosen {
            Some(row) => Found::Route(&row.to, row.pattern.parameter(path)),
            None => Found::MethodNotAllowed {
                allow: allow(there.iter().map(|row| row.method)),
            },
        }
    }
}

impl Pattern {
    fn read(pattern: &str) -> Self {
        assert!(
            pattern.starts_with('/'),
            "the path {pattern:?} does not start with a slash"
        );
        let (path, parameter) = match pattern.split_once('{') {
            Some((path, rest)) => (path, Some(rest)),
            None => (pattern, None),
        };
        match parameter {
            None => Self::Exact(path.to_owned()),
            Some(name) => {
                let is_last = name
                    .strip_suffix('}')
                    .is_some_and(|name| !name.contains(['{', '/']));
                assert!(
                    is_last && path.ends_with('/'),
                    "{pattern:?}: one parameter, the last segment"
                );
                Self::Below(path.to_owned())
            }
        }
    }

    fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == path,
            Self::Below(_) => self.parameter(path).is_some(),
        }
    }

    fn parameter<'p>(&self, path: &'p str) -> Option<&'p str> {
        match self {
            Self::Exact(_) => None,
            Self::Below(prefix) => path
                .strip_prefix(prefix.as_str())
                .filter(|segment| !segment.is_empty() && !segment.contains('/')),
        }
    }
}

fn allow(methods: impl Iterator<Item = Method>) -> String {
    let mut names = vec![Method::Options.name()];
    for method in methods {
        names.push(method.name());
        if method == Method::Get {
            names.push(Method::Head.name());
        }
    }
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Routes<u8> {
        let mut routes = Routes::new();
        routes.add(Method::Get, "/", 1);
        routes.add(Method::Post, "/session", 2);
        routes.add(Method::Delete, "/session", 3);
        routes.add(Method::Get, "/join/{code}", 4);
        routes.add(Method::Get, "/join/help", 5);
        routes
    }

    #[test]
    fn a_route_is_found_by_method_and_path() {
        let routes = table();
        let rows = [
            (Method::Get, "/", Found::Route(&1, None)),
            (Method::Head, "/", Found::Route(&1, None)),
            (Method::Post, "/session", Found::Route(&2, None)),
            (Method::Delete, "/session", Found::Route(&3, None)),
            (Method::Get, "/join/a%2Fb", Found::Route(&4, Some("a%2Fb"))),
            (Method::Head, "/join/x", Found::Route(&4, Some("x"))),
            (Method::Get, "/join/help", Found::Route(&5, None)),
            (Method::Get, "/join/", Found::NotFound),
            (Method::Get, "/join/a/b", Found::NotFound),
            (Method::Get, "/session/", Found::NotFound),
            (Method::Get, "//session", Found::NotFound),
            (Method::Get, "/Session", Found::NotFound),
            (Method::Connect, "here:443", Found::NotFound),
        ];
        for (method, path, found) in rows {
            assert_eq!(routes.find(method, path), found, "{} {path}", method.name());
        }
    }

    #[test]
    fn a_path_without_the_method_says_what_it_allows() {
        let routes = table();
        let rows = [
            (Method::Post, "/", "GET, HEAD, OPTIONS"),
            (Method::Options, "/session", "DELETE, OPTIONS, POST"),
            (Method::Head, "/session", "DELETE, OPTIONS, POST"),
            (Method::Other, "/join/help", "GET, HEAD, OPTIONS"),
            (Method::Options, "*", "DELETE, GET, HEAD, OPTIONS, POST"),
        ];
        for (method, path, allow) in rows {
            let allow = allow.to_owned();
            assert_eq!(
                routes.find(method, path),
                Found::MethodNotAllowed { allow },
                "{path}"
            );
        }
    }

    #[test]
    #[should_panic(expected = "there already")]
    fn a_route_cannot_be_given_twice() {
        table().add(Method::Get, "/", 9);
    }

    #[test]
    #[should_panic(expected = "one parameter, the last segment")]
    fn a_parameter_is_the_last_segment() {
        table().add(Method::Get, "/room/{name}/history", 9);
    }
}
