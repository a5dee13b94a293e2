//! A chart as SVG, written by hand: both axes logarithmic, a tick for each power of ten, each line with its name and the
//! values at its ends.

use std::fmt::Write as _;

use crate::compare::figure;

pub(crate) struct Chart<'c> {
    pub(crate) title: &'c str,
    /// What is counted along the bottom.
    pub(crate) along: &'c str,
    pub(crate) lines: Vec<Line<'c>>,
}

/// Points by what is counted, all above nothing.
pub(crate) struct Line<'c> {
    pub(crate) what: &'c str,
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 372.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 72.0;
const BOTTOM: f64 = 45.0;
const COLOURS: [&str; 3] = ["#1668b8", "#b8501c", "#3c8031"];

/// From one power of ten to another.
#[derive(Clone, Copy)]
struct Axis {
    from: f64,
    to: f64,
}

impl Axis {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let from = values.clone().map(f64::log10).fold(f64::INFINITY, f64::min);
        let to = values.map(f64::log10).fold(f64::NEG_INFINITY, f64::max);
        let (from, to) = (from.floor(), to.ceil());
        let to = to.max(from + 1.0);
        Self { from, to }
    }

    /// Its share of the way.
    fn place(self, value: f64) -> f64 {
        (value.log10() - self.from) / (self.to - self.from)
    }

    fn ticks(self) -> impl Iterator<Item = f64> {
        std::iter::successors(Some(self.from), |tick| Some(tick + 1.0))
            .take_while(move |tick| *tick <= self.to)
            .map(|tick| 10_f64.powf(tick))
    }
}

impl Chart<'_> {
    pub(crate) fn svg(&self) -> String {
        let points = self.lines.iter().flat_map(|line| line.points.iter());
        let (across, up) = (
            Axis::of(points.clone().map(|point| point.0)),
            Axis::of(points.map(|point| point.1)),
        );
        let x = |value: f64| LEFT + across.place(value) * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| HEIGHT - BOTTOM - up.place(value) * (HEIGHT - TOP - BOTTOM);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
             <text x=\"{LEFT}\" y=\"20\" font-size=\"14\">{}</text>\n",
            self.title
        );
        for tick in across.ticks() {
            let (x, bottom) = (x(tick), HEIGHT - BOTTOM);
            let label = tick_label(tick);
            svg += &format!(
                "<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"#ddd\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>\n",
                bottom + 16.0
            );
        }
        for tick in up.ticks() {
            let (y, right) = (y(tick), WIDTH - RIGHT);
            let label = tick_label(tick);
            svg += &format!(
                "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#ddd\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>\n",
                LEFT - 6.0,
                y + 4.0
            );
        }
        svg += &format!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
            f64::midpoint(LEFT, WIDTH - RIGHT),
            HEIGHT - 8.0,
            self.along
        );
        for (number, (line, colour)) in self.lines.iter().zip(COLOURS).enumerate() {
            let left = LEFT + 260.0 * number as f64;
            svg += &format!(
                "<text x=\"{left}\" y=\"42\" fill=\"{colour}\">{}</text>\n<path fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" d=\"",
                line.what
            );
            for (at, &(across, up)) in line.points.iter().enumerate() {
                let pen = if at == 0 { 'M' } else { 'L' };
                write!(svg, "{pen}{:.1} {:.1}", x(across), y(up)).expect("a String takes it");
            }
            svg += "\"/>\n";
            let last = line.points.len().saturating_sub(1);
            for (at, &(across, up)) in line.points.iter().enumerate() {
                let (x, y) = (x(across), y(up));
                svg += &format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
                if at == 0 || at == last {
                    let anchor = if at == 0 { "start" } else { "end" };
                    svg += &format!(
                        "<text x=\"{x:.1}\" y=\"{:.1}\" fill=\"{colour}\" text-anchor=\"{anchor}\">{}</text>",
                        y - 8.0,
                        figure(up)
                    );
                }
                svg.push('\n');
            }
        }
        svg + "</svg>\n"
    }
}

fn tick_label(tick: f64) -> String {
    if tick < 1.0 {
        return format!("{tick}");
    }
    let label = figure(tick);
    label
        .trim_end_matches(".00")
        .trim_end_matches(".0")
        .to_owned()
}
