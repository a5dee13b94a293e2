//! What was measured, kept line by line in a file, so that a run that was cut short can go on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::scenarios::Measured;

pub(crate) struct Row {
    pub(crate) round: usize,
    pub(crate) scenario: String,
    pub(crate) peer: String,
    pub(crate) metric: String,
    pub(crate) value: f64,
}

pub(crate) struct Rows {
    file: File,
    pub(crate) rows: Vec<Row>,
}

impl Rows {
    /// With what an earlier run left there, or anew.
    pub(crate) fn open(path: &Path, resume: bool) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let left = match fs::read_to_string(path) {
            Ok(text) if resume => text,
            Err(error) if resume && error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => String::new(),
        };
        let mut rows = Vec::new();
        for line in left.lines() {
            let row = row(line).ok_or_else(|| io::Error::other(format!("no row: {line:?}")))?;
            rows.push(row);
        }
        let file = if resume {
            OpenOptions::new().create(true).append(true).open(path)?
        } else {
            File::create(path)?
        };
        Ok(Self { file, rows })
    }

    pub(crate) fn has(&self, round: usize, scenario: &str, peer: &str) -> bool {
        self.rows
            .iter()
            .any(|row| row.round == round && row.scenario == scenario && row.peer == peer)
    }

    /// All of one measurement at once: a run that is cut short leaves no half of it.
    pub(crate) fn add(
        &mut self,
        round: usize,
        scenario: &str,
        peer: &str,
        measured: &[Measured],
    ) -> io::Result<()> {
        let mut lines = String::new();
        for &Measured { metric, value } in measured {
            lines += &format!("{round}\t{scenario}\t{peer}\t{metric}\t{value}\n");
            self.rows.push(Row {
                round,
                scenario: scenario.to_owned(),
                peer: peer.to_owned(),
                metric: metric.to_owned(),
                value,
            });
        }
        self.file.write_all(lines.as_bytes())
    }

    /// The values of one metric with their rounds.
    pub(crate) fn values(&self, scenario: &str, peer: &str, metric: &str) -> Vec<(usize, f64)> {
        self.rows
            .iter()
            .filter(|row| row.scenario == scenario && row.peer == peer && row.metric == metric)
            .map(|row| (row.round, row.value))
            .collect()
    }

    /// One peer's values by another's of the same round.
    pub(crate) fn ratios(&self, scenario: &str, metric: &str, of: [&str; 2]) -> Vec<f64> {
        let [ones, others] = of.map(|peer| self.values(scenario, peer, metric));
        let of_round = |round| others.iter().find(|&&(other, _)| other == round);
        ones.into_iter()
            .filter_map(|(round, value)| Some(value / of_round(round)?.1))
            .collect()
    }
}

fn row(line: &str) -> Option<Row> {
    let mut fields = line.split('\t');
    Some(Row {
        round: fields.next()?.parse().ok()?,
        scenario: fields.next()?.to_owned(),
        peer: fields.next()?.to_owned(),
        metric: fields.next()?.to_owned(),
        value: fields.next()?.parse().ok()?,
    })
}

/// The middle of several values, and their ends.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_unstable_by(f64::total_cmp);
        let (&least, &most) = (values.first()?, values.last()?);
        let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(Self {
            median: f64::midpoint(low, high),
            least,
            most,
        })
    }
}
