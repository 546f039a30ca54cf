//! Hand-computed tables, as an auditor would check them; `naive` compares with a second implementation.
//!
//! Every figure here was worked out on paper first.

mod naive;

use super::*;
use crate::{interval::Set, verdict::Code};

const HOUR: i64 = 3_600_000;
const GAP: i64 = 90 * 60_000;

fn at(text: &str) -> Instant {
    format!("2027-{text}:00.000Z").parse().unwrap()
}

fn hour(hour: i64) -> Instant {
    at("01-01T00:00").plus_ms(hour * HOUR)
}

fn item(n: u8) -> Item {
    Item::from_bytes([n; 16])
}

fn result(state: State) -> ItemResult {
    ItemResult::because(state, "some.reason".parse().unwrap())
}

fn span(from: i64, to: i64) -> Span {
    Span::new(hour(from), hour(to))
}

/// Hourly looks from hour 0; each word has one letter for each item: `p f u a d`, and `.` for absent; `-` is a blind
/// look, `?` behind a word says that the list was not whole, `!` is a slot without a run.
fn hourly(words: &str) -> (Effect, Vec<Transition>) {
    let (mut effect, mut transitions) = (Effect::new(), Vec::new());
    for (n, word) in (0_i64..).zip(words.split_whitespace()) {
        match word {
            "-" => effect.blind(hour(n), GAP),
            "!" => effect.gap(hour(n)),
            "=" => effect.same(hour(n)),
            _ => {
                let whole = if word.ends_with('?') { Membership::Partial } else { Membership::Complete };
                let rows: BTreeMap<Item, ItemResult> = (1..)
                    .zip(word.trim_end_matches('?').chars())
                    .filter_map(|(i, c)| Some((item(i), result(state(c)?))))
                    .collect();
                transitions.extend(effect.look(hour(n), n.unsigned_abs(), whole, GAP, &rows));
            }
        }
    }
    (effect, transitions)
}

fn state(letter: char) -> Option<State> {
    match letter {
        'p' => Some(State::Passed),
        'f' => Some(State::Failed),
        'u' => Some(State::Unknown),
        'a' => Some(State::NotApplicable),
        'd' => Some(State::NotDue),
        '.' => None,
        _ => panic!("no state: {letter}"),
    }
}

/// The period `[0 h, to)` of hourly looks, asked at its end.
fn period(words: &str, to: i64) -> PolicyPeriod {
    hourly(words).0.period(hour(0), hour(to), hour(to))
}

/// Each deviation as (item, least, most, hours least, hours most).
fn table(period: &PolicyPeriod) -> Vec<(u8, Option<Span>, Span, i64, i64)> {
    let line =
        |d: &Deviation| (d.item.as_bytes()[0], d.least.hull(), d.most, d.least_ms / HOUR, d.most_ms / HOUR);
    period.deviations.iter().map(line).collect()
}

/// What each transition says, with hours.
fn drift(words: &str) -> Vec<(u8, State, State, Instant, Instant)> {
    let transitions = hourly(words).1;
    transitions.iter().map(|t| (t.item.as_bytes()[0], t.from, t.to, t.observed_from, t.observed_to)).collect()
}

#[test]
fn out_from_12_march_0913_to_13_march_1550_is_29_to_31_hours() {
    let (out, fixed) = (at("03-12T09:13"), at("03-13T15:50"));
    let mut effect = Effect::new();
    let mut drift = Vec::new();
    let (mut now, mut seq) = (at("03-01T00:00"), 0);
    while now < at("04-01T00:00") {
        let state = if out <= now && now < fixed { State::Failed } else { State::Passed };
        let rows = BTreeMap::from([(item(1), result(state)), (item(2), result(State::Passed))]);
        drift.extend(effect.look(now, seq, Membership::Complete, GAP, &rows));
        (now, seq) = (now.plus_ms(HOUR), seq + 1);
    }
    let march = effect.period(at("03-01T00:00"), at("04-01T00:00"), at("04-01T00:00"));
    let [deviation] = march.deviations.as_slice() else { panic!("{march:?}") };
    assert_eq!(deviation.least, Set::from(Span::new(at("03-12T10:00"), at("03-13T15:00"))));
    assert_eq!(deviation.most, Span::new(at("03-12T09:00"), at("03-13T16:00")));
    assert_eq!((deviation.least_ms / HOUR, deviation.most_ms / HOUR), (29, 31));
    let known = Bounds { begin: Known::Bracketed, end: Known::Bracketed };
    assert_eq!((deviation.baseline, deviation.open, deviation.known), (false, false, known));
    assert_eq!((deviation.sights, deviation.opened_seq, deviation.closed_seq), (30, 274, Some(304)));
    assert_eq!((march.items_n, march.met, march.deviated_items, march.occasions), (2, 1, 1, 1));
    assert_eq!((march.gap_ms, march.part_unknown_ms), (0, 0));
    let said: Vec<_> = drift.iter().map(|t| (t.from, t.to, t.observed_from, t.observed_to)).collect();
    assert_eq!(
        said,
        [
            (State::Passed, State::Failed, at("03-12T09:00"), at("03-12T10:00")),
            (State::Failed, State::Passed, at("03-13T15:00"), at("03-13T16:00")),
        ]
    );

    // clipped at both edges, in the middle of it
    let day = effect.period(at("03-12T12:00"), at("03-13T12:00"), at("04-01T00:00"));
    assert_eq!((day.deviations[0].least_ms / HOUR, day.deviations[0].most_ms / HOUR), (24, 24));
    assert!(day.deviations[0].open, "nothing had ended it when the period did");
}

#[test]
fn one_look_gives_no_least_and_up_to_two_hours() {
    let said = period("p f p", 3);
    assert_eq!(table(&said), [(1, None, span(0, 2), 0, 2)]);
    let known = Bounds { begin: Known::Bracketed, end: Known::Bracketed };
    assert_eq!((said.deviated_items, said.deviations[0].known), (1, known));
}

#[test]
fn both_ends_say_which_look_they_rest_on() {
    let known = |words: &str, prompted: &[u64]| {
        let mut effect = hourly(words).0;
        for seq in prompted {
            effect.prompt(*seq);
        }
        let said = effect.period(hour(0), hour(9), hour(9));
        said.deviations[0].known.to_string()
    };
    assert_eq!(known("p f f p", &[]), "two looks at both ends");
    assert_eq!(known("p f f p", &[1, 3]), "a change event at both ends");
    assert_eq!(known("p f f p", &[2, 3]), "two looks at its begin, a change event at its end");
    // nothing was seen before: whatever brought that look, it bounds nothing on this side
    assert_eq!(known("f f p", &[0]), "one look at its begin, two looks at its end");
    assert_eq!(known("p f f", &[1]), "a change event at its begin, one look at its end");
    // the list was whole, and the item was not there: it came since
    assert_eq!(known("p. pf pf", &[1]), "a change event at its begin, one look at its end");
}

#[test]
fn what_is_bad_at_first_sight_is_baseline_and_no_drift() {
    assert!(drift("f f").is_empty());
    assert!(drift("u f").is_empty());
    assert!(drift("a f").is_empty());
    for (words, most) in
        [("f f p", span(0, 2)), ("u f p", span(0, 2)), ("a f p", span(0, 2)), ("p. pf pp", span(0, 2))]
    {
        let said = period(words, 3);
        assert_eq!((said.deviations[0].baseline, said.deviations[0].most), (true, most), "{words}");
    }
    // who leaves and comes back failing was seen before
    assert!(!period("p . f", 3).deviations[0].baseline);
    assert_eq!(drift("p . f"), [(1, State::Passed, State::Failed, hour(0), hour(2))]);
}

#[test]
fn unknown_is_bridged_and_widens_only_most() {
    for between in ["u", "-", ".?", "!"] {
        let words = format!("p f {between} f p");
        let said = period(&words, 5);
        // the look at 1 h is good until 2 h 30; the rest until 3 h is known by nobody
        assert_eq!(said.occasions, 1, "{words}");
        assert_eq!((said.deviations[0].least_ms, said.deviations[0].most), (GAP, span(0, 4)), "{words}");
        assert_eq!(drift(&words).len(), 2, "{words}");

        let words = format!("p {between} f f");
        assert_eq!(drift(&words), [(1, State::Passed, State::Failed, hour(0), hour(2))], "{words}");
        assert_eq!(period(&words, 4).deviations[0].most, span(0, 4), "{words}");
    }
}

#[test]
fn only_passed_and_failed_drift() {
    for quiet in ["p u p", "p a p", "p d p", "p . p", "f u f", "f a f", "f . f", "a d a u", "d p", "u p"] {
        assert!(drift(quiet).is_empty(), "{quiet}");
    }
    assert_eq!(drift("p a f"), [(1, State::Passed, State::Failed, hour(0), hour(2))]);
    assert_eq!(drift("f d p"), [(1, State::Failed, State::Passed, hour(0), hour(2))]);
    // an obligation that was not met in time is news, even where it failed the last time
    assert_eq!(drift("d d f"), [(1, State::NotDue, State::Failed, hour(1), hour(2))]);
    assert_eq!(drift("f d u f"), [(1, State::NotDue, State::Failed, hour(1), hour(3))]);
}

#[test]
fn one_failure_never_hides_another() {
    let swapped = drift("pf fp");
    assert_eq!(
        swapped,
        [
            (1, State::Passed, State::Failed, hour(0), hour(1)),
            (2, State::Failed, State::Passed, hour(0), hour(1)),
        ]
    );
}

#[test]
fn what_lies_beyond_max_gap_is_gap_and_never_least() {
    // looks at 0 and 5 h; the first is good until 1 h 30
    let said = period("f ! ! ! ! f", 6);
    assert_eq!((said.gap_ms, said.gap_slots, said.part_unknown_ms), (5 * HOUR - GAP, 4, 0));
    assert_eq!((said.deviations[0].least_ms, said.deviations[0].most_ms), (GAP, 6 * HOUR));
    assert_eq!(said.occasions, 1);
    // nobody looked before the first look, nor long after the last
    let said = hourly("p p").0.period(hour(-3), hour(10), hour(8));
    assert_eq!(said.gap_ms, 3 * HOUR + (8 * HOUR - HOUR - GAP));
}

#[test]
fn blind_time_is_unknown_and_not_gap() {
    let said = period("p - - - p", 5);
    assert_eq!((said.met, said.gap_ms, said.part_unknown_ms), (1, 0, 4 * HOUR - GAP));
    // one item seen is not blind
    assert_eq!(period("pp pu pu pu pp", 5).part_unknown_ms, 0);
    assert_eq!(period("pp uu uu uu pp", 5).part_unknown_ms, 4 * HOUR - GAP);
    assert_eq!(period("- - -", 3).part_unknown_ms, 3 * HOUR);
    assert_eq!(period("- - -", 3).items_n, 0);
}

#[test]
fn an_empty_population_is_seen_if_it_is_whole() {
    let said = period(". . .", 3);
    assert_eq!((said.items_n, said.gap_ms, said.part_unknown_ms), (0, 0, 0));
    assert_eq!(period(".? .? .?", 3).part_unknown_ms, 3 * HOUR);
    assert_eq!(Effect::new().period(hour(0), hour(2), hour(2)).gap_ms, 2 * HOUR);
}

#[test]
fn items_come_and_go_and_keep_their_history() {
    // the second is born failing between 1 h and 2 h, and leaves failing between 3 h and 4 h
    let (effect, drift) = hourly("p. p. pf pf p. p.");
    assert!(drift.is_empty());
    let said = effect.period(hour(0), hour(6), hour(6));
    assert_eq!(table(&said), [(2, Some(span(2, 3)), span(1, 4), 1, 3)]);
    assert_eq!((said.items_n, said.met, said.deviated_items), (2, 1, 1));
    assert!(!said.deviations[0].open);
    // after it left it is in no period; archived is not erased
    let later = effect.period(hour(5), hour(6), hour(6));
    assert_eq!((later.items_n, later.deviations.len()), (1, 0));
    let archived = period("f f a a", 4);
    assert_eq!(table(&archived), [(1, Some(span(0, 1)), span(0, 2), 1, 2)]);
    assert_eq!(archived.deviated_items, 1);
    // a part without it ends nothing
    assert!(period("f f .? .?", 4).deviations[0].open);
}

#[test]
fn items_are_in_one_class_each() {
    let said = period("pfuadp pfuadu pfuada", 3);
    assert_eq!(
        (said.items_n, said.met, said.deviated_items, said.unknown_items, said.not_applicable, said.not_due),
        (6, 2, 1, 1, 1, 1)
    );
    assert_eq!(period("a u", 2).unknown_items, 1);
    assert_eq!(period("a d", 2).not_due, 1);
}

#[test]
fn nothing_drops_out_at_an_edge() {
    // seen failing at 1 h, seen fixed at 2 h; the period begins at 1 h 30
    let (effect, _) = hourly("p f p p");
    let said = effect.period(hour(1).plus_ms(HOUR / 2), hour(4), hour(4));
    assert_eq!(
        (said.items_n, said.met, said.deviated_items, said.edge_items, said.occasions),
        (1, 0, 0, 1, 0)
    );
    assert_eq!((said.deviations[0].least_ms, said.deviations[0].most_ms), (0, HOUR / 2));
    assert!(!said.deviations[0].is_certain());
    // last seen failing before the period, and gone at the first look in it
    let said = hourly("pf pf p. p.").0.period(hour(1).plus_ms(HOUR / 2), hour(4), hour(4));
    assert_eq!((said.items_n, said.met, said.edge_items), (2, 1, 1));
    // nobody looked any more: what was open stays so, and in the denominator
    let later = hourly("f f").0.period(hour(100), hour(200), hour(150));
    assert_eq!((later.items_n, later.edge_items, later.gap_ms), (1, 1, 50 * HOUR));
    assert_eq!(later.deviations[0].most, span(100, 150));
    let later = hourly("p p").0.period(hour(100), hour(200), hour(150));
    assert_eq!((later.items_n, later.unknown_items), (1, 1));
}

#[test]
fn the_same_look_again_costs_nothing_and_says_the_same() {
    let words = "pf ff .f? pp";
    for repeated in words.split(' ') {
        let long = words.replacen(repeated, &format!("{repeated} {repeated} {repeated}"), 1);
        let short = words.replacen(repeated, &format!("{repeated} = ="), 1);
        assert_eq!(period(&long, 8), period(&short, 8), "{repeated}");
    }
    let (mut effect, _) = hourly("pf");
    (1..100).for_each(|n| effect.same(hour(n)));
    let short = format!("{effect:?}").len();
    (100..900).for_each(|n| effect.same(hour(n)));
    assert_eq!(format!("{effect:?}").len(), short, "memory grows with changes only");
    assert_eq!(effect.period(hour(0), hour(900), hour(900)).deviations[0].least_ms, 899 * HOUR);
}

#[test]
fn the_reasons_of_all_looks_are_given() {
    let mut effect = Effect::new();
    for (n, code) in (0..).zip(["no_review", "no_rule"]) {
        let code: Code = code.parse().unwrap();
        let rows = BTreeMap::from([(item(1), ItemResult::because(State::Failed, code))]);
        effect.look(hour(n), 0, Membership::Complete, GAP, &rows);
    }
    let said = effect.period(hour(0), hour(2), hour(2));
    let codes: Vec<_> = said.deviations[0].codes.iter().map(Code::as_str).collect();
    assert_eq!((codes, said.occasions), (vec!["no_review", "no_rule"], 1));
}

#[test]
fn windows_speak_exactly() {
    let mut effect = Effect::new();
    let mut read = |from, to, membership, word: &str| {
        let rows: BTreeMap<Item, ItemResult> =
            (1..).zip(word.chars()).filter_map(|(i, c)| Some((item(i), result(state(c)?)))).collect();
        effect.window(hour(from), hour(to), 7, membership, &rows)
    };
    assert!(read(0, 6, Membership::Complete, "pf").is_empty());
    let drift = read(6, 12, Membership::Complete, "ff");
    assert_eq!(drift.len(), 1);
    assert_eq!((drift[0].observed_from, drift[0].observed_to), (hour(6), hour(12)));
    read(18, 24, Membership::Complete, "pp");
    let said = effect.period(hour(0), hour(24), hour(24));
    assert_eq!(
        table(&said),
        [(2, Some(span(0, 12)), span(0, 12), 12, 12), (1, Some(span(6, 12)), span(6, 12), 6, 6)]
    );
    assert_eq!((said.gap_ms / HOUR, said.part_unknown_ms, said.occasions), (6, 0, 2));
    assert!(said.deviations.iter().all(|d| d.known.to_string() == "its windows, exactly" && !d.open));
    // read again, and better: what is known now replaces what was known then
    let rows = BTreeMap::from([(item(1), result(State::Passed)), (item(2), result(State::Unknown))]);
    let drift = effect.window(hour(6), hour(12), 9, Membership::Complete, &rows);
    assert_eq!((drift.len(), drift[0].to), (1, State::Passed));
    let said = effect.period(hour(0), hour(24), hour(24));
    assert_eq!(table(&said), [(2, Some(span(0, 6)), span(0, 6), 6, 6)]);
}

#[test]
fn events_are_judged_once_and_what_passed_through_the_hole_is_named() {
    let mut effect = Effect::new();
    effect.window(hour(0), hour(6), 1, Membership::Complete, []);
    let judge = |effect: &mut Effect, n: u8, at: i64, letter| {
        let event = Event { item: item(n), at: hour(at), of: Some(item(1)) };
        effect.event(hour(6), 1, event, &result(state(letter).unwrap()))
    };
    assert_eq!(judge(&mut effect, 11, 1, 'p'), None);
    let drift = judge(&mut effect, 12, 3, 'f').unwrap();
    assert_eq!((drift.from, drift.to), (State::NotDue, State::Failed));
    assert_eq!((drift.observed_from, drift.observed_to), (hour(3), hour(6)));
    assert_eq!(judge(&mut effect, 13, 4, 'u'), None);
    assert_eq!(judge(&mut effect, 14, 9, 'p'), None);
    let said = effect.period(hour(0), hour(9), hour(8));
    assert_eq!((said.items_n, said.met, said.deviated_items, said.unknown_items), (3, 1, 1, 1));
    assert_eq!((said.evidence, said.occasions, said.gap_ms), (Some(Evidence::Event), 1, 2 * HOUR));
    let seen: Vec<_> = said.events.iter().map(|e| (e.item, e.at, e.state)).collect();
    assert_eq!(seen, [(item(12), hour(3), State::Failed), (item(13), hour(4), State::Unknown)]);

    // item 1 failed at 2 h and 3 h: from 2 to 3 h for certain, from 1 to 4 h perhaps
    let rules = period("p p f f p", 5);
    let exposed = exposure(&rules.deviations[0], &effect);
    assert_eq!(
        (exposed.certainly, exposed.possibly),
        (vec![], vec![item(11), item(12)].into_iter().collect())
    );
    let rules = period("p p f f f p", 6);
    let exposed = exposure(&rules.deviations[0], &effect);
    assert_eq!((exposed.certainly, exposed.possibly), (vec![item(12)], vec![item(11), item(13)]));
    let other = Deviation { item: item(2), ..rules.deviations[0].clone() };
    assert_eq!(exposure(&other, &effect), Exposure::default());

    // a later judgement supersedes; unknown in between changes nothing
    assert_eq!(judge(&mut effect, 12, 3, 'u'), None);
    assert_eq!(judge(&mut effect, 12, 3, 'f'), None);
    assert_eq!(judge(&mut effect, 12, 3, 'p').map(|t| t.from), Some(State::Failed));
    assert_eq!(effect.period(hour(0), hour(9), hour(8)).deviated_items, 0);
}

#[test]
fn a_badly_read_window_of_events_is_unknown_time() {
    let mut effect = Effect::new();
    effect.window(hour(0), hour(6), 1, Membership::Partial, []);
    assert_eq!(effect.period(hour(0), hour(6), hour(6)).part_unknown_ms, 6 * HOUR);
    effect.window(hour(0), hour(6), 2, Membership::Complete, []);
    assert_eq!(effect.period(hour(0), hour(6), hour(6)).part_unknown_ms, 0);
}
