//! What people see of bad files, exactly: every rendered text is reviewed as a snapshot.

use proptest::prelude::*;

use super::*;
use crate::scenario::code::Code;
use crate::scenario::document::{Document, Node};
use crate::scenario::reader::Reader;

/// What the terminal shows of a text that cannot be read.
fn shown(name: &str, text: &str) -> String {
    let source = Source::new(name, text);
    let (_, diagnostics) = Document::parse(&source);
    render(&source, &diagnostics, Look::PLAIN)
}

/// What the terminal shows of one that is read by `read`.
fn shown_of(name: &str, text: &str, read: impl FnOnce(&Node, &Reader)) -> String {
    let source = Source::new(name, text);
    let (document, _) = Document::parse(&source);
    let reader = Reader::new(&source);
    read(&document.unwrap().root, &reader);
    render(&source, &reader.finish(), Look::PLAIN)
}

fn lease(node: &Node, reader: &Reader) {
    use crate::kernel::time::Duration;
    let known = ["leaseDuration", "renewDeadline", "retryPeriod", "leaderElect"];
    if let Some(fields) = reader.fields(node, "leaderElection", &known) {
        let _: Option<bool> = fields.required("leaderElect");
        for name in &known[..3] {
            let _: Option<Duration> = fields.optional(name);
        }
    }
}

/// Law: JSON mistakes are shown where they are, with what was expected.
#[test]
fn json_mistakes() {
    insta::assert_snapshot!(shown("x.json", "{\n  \"at\": 10m,\n}"), @r#"
    error[S005]: `10m` is no number
     --> x.json:2:9
      |
    2 |   "at": 10m,
      |         ^^^
      |
      = help: write `"10m"`: a text needs quotes

    x.json: 1 error; `hasim explain S005` tells more
    "#);
    insta::assert_snapshot!(shown("x.json", "{\n  \"at\": \"10m\",\n}"), @r#"
    error[S005]: a comma before `}`
     --> x.json:2:14
      |
    2 |   "at": "10m",
      |              ^ remove it
      |
      = help: JSON has no trailing commas; YAML files (.yaml) may have them

    x.json: 1 error; `hasim explain S005` tells more
    "#);
    insta::assert_snapshot!(shown("x.json", "{\n  \"faults\": [\n    { \"at\": \"10m\",\n"), @r#"
    error[S004]: the file ends too early: expected the name of a field in double quotes
     --> x.json:3:19
      |
    3 |     { "at": "10m",
      |     -             ^ ends here
      |     |
      |     this bracket is not closed

    x.json: 1 error; `hasim explain S004` tells more
    "#);
    insta::assert_snapshot!(shown("x.json", "{\n  \"description\": \"Claim: \n}"), @r#"
    error[S005]: a text without its closing `"`
     --> x.json:2:18
      |
    2 |   "description": "Claim: 
      |                  ^^^^^^^^ begins here
      |
      = help: a line break inside a text is written `\n`

    x.json: 1 error; `hasim explain S005` tells more
    "#);
    insta::assert_snapshot!(shown("x.json", "{\n  at: \"10m\" // soon\n}"), @r#"
    error[S005]: expected the name of a field in double quotes, found `at`
     --> x.json:2:3
      |
    2 |   at: "10m" // soon
      |   ^^
      |
      = help: write `"at"`

    x.json: 1 error; `hasim explain S005` tells more
    "#);
    insta::assert_snapshot!(shown("x.json", "{ \"a\": 1 } // end"), @r#"
    error[S005]: expected the end of the file, found `/`
     --> x.json:1:12
      |
    1 | { "a": 1 } // end
      |            ^
      |
      = help: JSON has no comments; YAML files (.yaml) have, after `#`

    x.json: 1 error; `hasim explain S005` tells more
    "#);
}

/// Law: what looks right to people of other languages is explained.
#[test]
fn json_habits() {
    insta::assert_snapshot!(shown("x.json", "{ \"ä\": 'text' }"), @r#"
    error[S005]: expected a value, found `'`
     --> x.json:1:8
      |
    1 | { "ä": 'text' }
      |        ^
      |
      = help: JSON uses double quotes

    x.json: 1 error; `hasim explain S005` tells more
    "#);
    insta::assert_snapshot!(shown("x.json", r#"{ "a": "C:\dir" }"#), @r#"
    error[S005]: an escape that JSON does not have
     --> x.json:1:11
      |
    1 | { "a": "C:\dir" }
      |           ^^
      |
      = help: the escapes are \" \\ \/ \b \f \n \r \t and \u with 4 hex digits

    x.json: 1 error; `hasim explain S005` tells more
    "#);
    insta::assert_snapshot!(shown("x.json", "{ \"a\" 1 }"), @r#"
    error[S005]: expected `:` after the field's name, found `1`
     --> x.json:1:7
      |
    1 | { "a" 1 }
      |       ^

    x.json: 1 error; `hasim explain S005` tells more
    "#);
    insta::assert_snapshot!(shown("x.json", "{ \"a\": 007, \"b\": True }"), @r#"
    error[S005]: `007` is no number
     --> x.json:1:8
      |
    1 | { "a": 007, "b": True }
      |        ^^^
      |
      = help: a number has no leading zeros

    x.json: 1 error; `hasim explain S005` tells more
    "#);
}

/// Law: files that are empty, cut short or of the other format are told so.
#[test]
fn json_that_is_none() {
    insta::assert_snapshot!(shown("x.json", "run:\n  until: 5m\n"), @r"
    error[S005]: expected a value, found `run`
     --> x.json:1:1
      |
    1 | run:
      | ^^^
      |
      = help: a YAML file needs a name that ends in .yaml

    x.json: 1 error; `hasim explain S005` tells more
    ");
    insta::assert_snapshot!(shown("x.json", " \n"), @r"
    error[S004]: the file is empty
     --> x.json:2:1
      |
    2 |
      | ^ expected a value

    x.json: 1 error; `hasim explain S004` tells more
    ");
    insta::assert_snapshot!(shown("x.json", "{ \"a\": \"cut sho"), @r#"
    error[S004]: the file ends too early: expected the closing `"`
     --> x.json:1:16
      |
    1 | { "a": "cut sho
      |        -       ^ ends here
      |        |
      |        this text is not closed

    x.json: 1 error; `hasim explain S004` tells more
    "#);
}

/// Law: so are YAML mistakes.
#[test]
fn yaml_mistakes() {
    insta::assert_snapshot!(shown("x.yaml", "run:\n  until: 5m\n seed: 1\n"), @r"
    error[S006]: not valid YAML: while parsing a block mapping, did not find expected key
     --> x.yaml:3:2
      |
    3 |  seed: 1
      |  ^
      |
      = help: check the indentation: fields of one object begin in the same column

    x.yaml: 1 error; `hasim explain S006` tells more
    ");
    insta::assert_snapshot!(shown("x.yaml", "run:\n\tuntil: 5m\n"), @r"
    error[S006]: not valid YAML: tabs disallowed within this context (block indentation)
     --> x.yaml:2:2
      |
    2 |     until: 5m
      |     ^
      |
      = help: indent with spaces, never tabs

    x.yaml: 1 error; `hasim explain S006` tells more
    ");
    insta::assert_snapshot!(shown("x.yaml", "note: Claim: two colons\n"), @r"
    error[S006]: not valid YAML: mapping values are not allowed in this context
     --> x.yaml:1:12
      |
    1 | note: Claim: two colons
      |            ^
      |
      = help: check the indentation; a text that holds `: ` needs quotes

    x.yaml: 1 error; `hasim explain S006` tells more
    ");
    insta::assert_snapshot!(shown("x.yaml", "faults: [ { at: 5m }\nrun: 1\n"), @r"
    error[S006]: not valid YAML: invalid indentation in flow construct
     --> x.yaml:2:1
      |
    2 | run: 1
      | ^
      |
      = help: is a closing bracket missing? Lines within brackets must be indented

    x.yaml: 1 error; `hasim explain S006` tells more
    ");
    insta::assert_snapshot!(shown("x.yaml", "name: \"cut\nrun: 1\n"), @r#"
    error[S006]: not valid YAML: invalid indentation in quoted scalar
     --> x.yaml:1:7
      |
    1 | name: "cut
      |       ^
      |
      = help: is the closing quote missing? Lines of a quoted text must be indented

    x.yaml: 1 error; `hasim explain S006` tells more
    "#);
}

/// Law: what YAML allows and scenarios do not is refused by name.
#[test]
fn yaml_refusals() {
    insta::assert_snapshot!(shown("x.yaml", "kind: Scenario\n---\nkind: Scenario\n"), @r"
    error[S009]: more than one document in the file
     --> x.yaml:2:1
      |
    2 | ---
      | ^^^ a second document begins here
      |
      = help: a scenario is one document: split the file, or remove the `---`

    x.yaml: 1 error; `hasim explain S009` tells more
    ");
    insta::assert_snapshot!(shown("x.yaml", "a: *nobody\n"), @r"
    error[S006]: not valid YAML: while parsing node, found unknown anchor
     --> x.yaml:1:4
      |
    1 | a: *nobody
      |    ^
      |
      = help: an alias `*name` needs an anchor `&name` before it; a text that begins
              with `*` needs quotes

    x.yaml: 1 error; `hasim explain S006` tells more
    ");
    insta::assert_snapshot!(shown("x.yaml", "a: &a [*a]\n"), @r"
    error[S006]: an alias inside the value that it stands for
     --> x.yaml:1:8
      |
    1 | a: &a [*a]
      |        ^^ this has no end

    x.yaml: 1 error; `hasim explain S006` tells more
    ");
}

/// Law: so are values and keys that have no counterpart in JSON.
#[test]
fn yaml_beyond_json() {
    insta::assert_snapshot!(shown("x.yaml", "at: !duration 5m\n"), @r"
    error[S011]: the tag `!duration` is YAML that scenarios do not use
     --> x.yaml:1:5
      |
    1 | at: !duration 5m
      |     ^^^^^^^^^^^^
      |
      = help: write it as plain lists and objects with text keys

    x.yaml: 1 error; `hasim explain S011` tells more
    ");
    insta::assert_snapshot!(shown("x.yaml", "? [a]\n: b\n"), @r"
    error[S011]: a list or an object as the name of a field is YAML that scenarios do not use
     --> x.yaml:1:3
      |
    1 | ? [a]
      |   ^
      |
      = help: write it as plain lists and objects with text keys

    x.yaml: 1 error; `hasim explain S011` tells more
    ");
    insta::assert_snapshot!(shown("x.yaml", "a: @cp1\n"), @r"
    error[S006]: not valid YAML: unexpected character: '@'
     --> x.yaml:1:4
      |
    1 | a: @cp1
      |    ^
      |
      = help: a text that begins with `%`, `@` or a backtick needs quotes

    x.yaml: 1 error; `hasim explain S006` tells more
    ");
    insta::assert_snapshot!(shown("x.yaml", "a: .inf\n"), @r"
    error[S006]: `.inf` is no number here
     --> x.yaml:1:4
      |
    1 | a: .inf
      |    ^^^^ not finite, or too large
      |
      = help: if a text is meant, put it in quotes

    x.yaml: 1 error; `hasim explain S006` tells more
    ");
}

/// Law: a field given twice is shown with both places.
#[test]
fn duplicate_fields() {
    let json = "{\n  \"seed\": 1,\n  \"until\": \"5m\",\n  \"a\": 0,\n  \"b\": 0,\n  \"c\": 0,\n  \"seed\": 2\n}";
    insta::assert_snapshot!(shown("x.json", json), @r#"
    error[S008]: the field `seed` is given twice
     --> x.json:7:3
      |
    2 |   "seed": 1,
      |   ------ first given here
    ...
    7 |   "seed": 2
      |   ^^^^^^ given again here
      |
      = help: keep one of them

    x.json: 1 error; `hasim explain S008` tells more
    "#);
    insta::assert_snapshot!(shown("x.yaml", "run: {seed: 1, seed: 2}\n"), @r"
    error[S008]: the field `seed` is given twice
     --> x.yaml:1:16
      |
    1 | run: {seed: 1, seed: 2}
      |       ----     ^^^^ given again here
      |       |
      |       first given here
      |
      = help: keep one of them

    x.yaml: 1 error; `hasim explain S008` tells more
    ");
}

/// Law: what is no text, or too much of it, is shown as far as it can be.
#[test]
fn unreadable_files() {
    let shown = |bytes: &[u8]| {
        let (source, diagnostic) = *Source::from_bytes("x.json", bytes.to_vec()).unwrap_err();
        render_one(&source, &diagnostic, Look::PLAIN)
    };
    insta::assert_snapshot!(shown(b"{\n  \"name\": \"M\xFCnchen\"\n}"), @r#"
    error[S003]: not UTF-8: 0xFC at byte offset 14
     --> x.json:2:13
      |
    2 |   "name": "M�nchen"
      |             ^ here
      |
      = help: save the file as UTF-8
    "#);
    insta::assert_snapshot!(shown(b"\xFF\xFE{\0}\0"), @r"
    error[S003]: not UTF-8: 0xFF at byte offset 0
     --> x.json:1:1
      |
    1 | ��{␀}␀
      | ^ here
      |
      = help: this looks like UTF-16; save the file as UTF-8
    ");
    insta::assert_snapshot!(shown(&vec![b' '; (4 << 20) + 1]), @r"
    error[S002]: larger than 4 MiB
    --> x.json
     = help: a scenario is a few kilobytes; is this the right file?
    ");
    insta::assert_snapshot!(shown_of("x.json", "7", |_, reader| reader.report(
        Diagnostic::error(Code::CANNOT_OPEN, "cannot read samples").related("samples.csv")
    )), @r"
    error[S001]: cannot read samples
    --> x.json
     = note: the other file is samples.csv

    x.json: 1 error; `hasim explain S001` tells more
    ");
}

/// Law: all mistakes of form come together, each with what would be right.
#[test]
fn mistakes_of_form() {
    let json =
        "{\n  \"leaseDuraton\": \"15s\",\n  \"renewDeadline\": 10,\n  \"retryPeriod\": \"2 s\"\n}";
    insta::assert_snapshot!(shown_of("scenarios/tight-lease.json", json, lease), @r#"
    error[S102]: `leaderElect` is missing in leaderElection
     --> scenarios/tight-lease.json:1:1
      |
    1 | {
      | ^ needed here

    error[S101]: leaderElection has no field `leaseDuraton`
     --> scenarios/tight-lease.json:2:3
      |
    2 |   "leaseDuraton": "15s",
      |   ^^^^^^^^^^^^^^ did you mean `leaseDuration`?
      |
      = help: the fields are `leaseDuration`, `renewDeadline`, `retryPeriod` and
              `leaderElect`

    error[S103]: expected a duration such as `"15s"`, found the number 10
     --> scenarios/tight-lease.json:3:20
      |
    3 |   "renewDeadline": 10,
      |                    ^^
      |
      = help: a duration has a unit: write `"10s"` for seconds

    error[S104]: `2 s` is no duration: a duration has no spaces: write `2s`
     --> scenarios/tight-lease.json:4:20
      |
    4 |   "retryPeriod": "2 s"
      |                    ^^

    scenarios/tight-lease.json: 4 errors; `hasim explain S102` tells more
    "#);
}

/// Law: so do those of YAML files.
#[test]
fn mistakes_of_form_in_yaml() {
    let yaml = "leaseDuration: 15\nrenewDeadline: [10s]\nretryPeriod: 2sec\nleaderElect: yes\n";
    insta::assert_snapshot!(shown_of("scenarios/tight-lease.yaml", yaml, lease), @r#"
    error[S103]: expected a duration such as `"15s"`, found the number 15
     --> scenarios/tight-lease.yaml:1:16
      |
    1 | leaseDuration: 15
      |                ^^
      |
      = help: a duration has a unit: write `"15s"` for seconds

    error[S103]: expected a duration such as `"15s"`, found a list
     --> scenarios/tight-lease.yaml:2:16
      |
    2 | renewDeadline: [10s]
      |                ^^^^^

    error[S104]: `2sec` is no duration: unknown unit: write `2s`; the units are ns, us, ms, s, m and h
     --> scenarios/tight-lease.yaml:3:15
      |
    3 | retryPeriod: 2sec
      |               ^^^

    error[S103]: expected true or false, found the text `yes`
     --> scenarios/tight-lease.yaml:4:14
      |
    4 | leaderElect: yes
      |              ^^^
      |
      = help: write `true`, without quotes

    scenarios/tight-lease.yaml: 4 errors; `hasim explain S103` tells more
    "#);
    insta::assert_snapshot!(shown_of("x.json", "[]", lease), @r"
    error[S103]: expected an object, found an empty list
     --> x.json:1:1
      |
    1 | []
      | ^^

    x.json: 1 error; `hasim explain S103` tells more
    ");
}

/// Law: the example of the style page comes out as it is there.
#[test]
fn the_example_of_the_style_page() {
    let text = "\n\n\n\n\n\n\n\n\n\n        \"leaseDuration\": \"15s\",\n        \"renewDeadline\": \"20s\",\n";
    let source = Source::new("scenarios/tight-lease.json", text);
    let start = text.find("\"20s\"").unwrap();
    let diagnostic = Diagnostic::error(
        "S114".parse().unwrap(),
        "`renewDeadline` must be shorter than `leaseDuration`",
    )
    .at(Span::new(start, start + 5), "20 s, but the lease lasts 15 s (line 11)")
    .help("client-go refuses this combination; the defaults are 10 s and 15 s");
    insta::assert_snapshot!(render_one(&source, &diagnostic, Look::PLAIN), @r#"
    error[S114]: `renewDeadline` must be shorter than `leaseDuration`
      --> scenarios/tight-lease.json:12:26
       |
    12 |         "renewDeadline": "20s",
       |                          ^^^^^ 20 s, but the lease lasts 15 s (line 11)
       |
       = help: client-go refuses this combination; the defaults are 10 s and 15 s
    "#);
}

/// Law: long lines are cut around the place, at the width of the terminal.
#[test]
fn long_lines_are_cut() {
    let text = format!("{{ \"a\": [{} wrong, {} ] }}", "1, ".repeat(200), "1, ".repeat(200));
    insta::assert_snapshot!(shown("x.json", &text), @r#"
    error[S005]: expected a value, found `wrong`
     --> x.json:1:610
      |
    1 | ... 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  wrong, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1...
      |                                    ^^^^^
      |
      = help: write `"wrong"`: a text needs quotes

    x.json: 1 error; `hasim explain S005` tells more
    "#);
    let twice =
        format!("{{ \"a\": 1, {} \"a\": 2 }}", "\"b\": [], ".replace('b', &"b".repeat(300)));
    insta::assert_snapshot!(shown("x.json", &twice), @r#"
    error[S008]: the field `a` is given twice
     --> x.json:1:320
      |
    1 | ...bbbbbbbbbbbbbbbbb": [],  "a": 2 }
      |                             ^^^ given again here
      |
      = note: first given here: line 1, column 3
      = help: keep one of them

    x.json: 1 error; `hasim explain S008` tells more
    "#);
}

/// Law: a large file with many problems is rendered in no time: only lines with problems are
/// looked at.
#[test]
fn large_files_render() {
    let one_line = format!("{{ {} \"z\": 1 }}", "\"a\": [1, 2], ".repeat(200_000));
    let many_lines = one_line.replace("], ", "],\n");
    for text in [one_line, many_lines] {
        let shown = shown("x.json", &text);
        assert!(
            shown.contains("199999 errors, 199899 of them not shown"),
            "{}",
            &shown[shown.len() - 99..]
        );
        assert!(shown.len() < 100_000, "{} bytes", shown.len());
    }
}

/// Law: colour is there when asked for, and takes nothing from the text.
#[test]
fn colour_is_asked_for() {
    let source = Source::new("x.json", "{ \"at\": 10m }");
    let (_, diagnostics) = Document::parse(&source);
    let coloured = render(&source, &diagnostics, Look { colour: true, ..Look::PLAIN });
    assert!(coloured.contains("\u{1b}["));
    let plain = anstream::adapter::strip_str(&coloured).to_string();
    assert_eq!(plain, render(&source, &diagnostics, Look::PLAIN));
}

/// Law: no control character of a file reaches the terminal.
#[test]
fn files_cannot_write_escape_sequences() {
    let shown = shown("x\u{1b}[31m.json", "{ \"\u{1b}[31m\u{7}\": 1, \u{1b}[0m }");
    assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown:?}");
}

/// Law: `hasim explain` prints the record, laid out and wrapped.
#[test]
fn a_page_is_its_record() {
    let info = Code::DUPLICATE_KEY.info().unwrap();
    insta::assert_snapshot!(explain(info, Look::PLAIN), @r#"
    S008: a field is given twice

    An object names each field once. Most programs silently take the last of two
    equal fields; here both places are shown, since one of them is not what was
    meant.

    Wrong:

        { "run": { "until": "5m", "seed": 1, "until": "10m" } }

    Right:

        { "run": { "until": "10m", "seed": 1 } }
    "#);
}

/// Law: programs are told the same as people.
#[test]
fn machine_readable_form() {
    let source = Source::new("x.json", "{\"a\": 1,\n\"a\": 2}");
    let (_, diagnostics) = Document::parse(&source);
    let json = serde_json::to_string_pretty(&diagnostics.to_json(&source)).unwrap();
    insta::assert_snapshot!(json, @r#"
    {
      "file": "x.json",
      "errors": 1,
      "warnings": 0,
      "omitted": 0,
      "diagnostics": [
        {
          "code": "S008",
          "severity": "error",
          "message": "the field `a` is given twice",
          "file": "x.json",
          "line": 2,
          "column": 1,
          "labels": [
            {
              "primary": true,
              "text": "given again here",
              "start": {
                "byte": 9,
                "line": 2,
                "column": 1
              },
              "end": {
                "byte": 12,
                "line": 2,
                "column": 4
              }
            },
            {
              "primary": false,
              "text": "first given here",
              "start": {
                "byte": 1,
                "line": 1,
                "column": 2
              },
              "end": {
                "byte": 4,
                "line": 1,
                "column": 5
              }
            }
          ],
          "help": "keep one of them",
          "relatedFile": null
        }
      ]
    }
    "#);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law: whatever the text and wherever the labels, there is something to show, without control
    /// characters, and the place is named as the source counts it.
    #[test]
    fn any_place_of_any_text_can_be_shown(
        parts in prop::collection::vec(prop::sample::select(vec![
            "a", " ", "\t", "\n", "\r\n", "\r", "ä€", "𝄞", "\u{200d}", "\u{202e}", "\u{7}", "\u{1b}[0m", "漢字", "e\u{301}", "\u{2028}",
            "a long stretch of words that does not end soon, and goes on and on and on, beyond any line",
        ]), 0..40),
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<bool>()), 1..4),
        width in 0_usize..200,
        colour in any::<bool>(),
    ) {
        let source = Source::new("x.json", parts.concat());
        let text = source.text();
        let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let mut diagnostic = Diagnostic::error(Code::WRONG_TYPE, "it is wrong").help("right it");
        for (one, other, primary) in places {
            let (one, other) = (bounds[one.index(bounds.len())], bounds[other.index(bounds.len())]);
            let span = Span::new(one.min(other), one.max(other));
            diagnostic.labels.push(Label { span, text: "here".to_owned(), primary });
        }
        let shown = render_one(&source, &diagnostic, Look { colour, width });
        let shown = anstream::adapter::strip_str(&shown).to_string();
        let Position { line, column } = source.position(diagnostic.span().unwrap().start);
        let place = format!("x.json:{line}:{column}");
        prop_assert!(shown.lines().any(|line| line.ends_with(&place)), "{place}\n{shown}");
        prop_assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
    }
}
