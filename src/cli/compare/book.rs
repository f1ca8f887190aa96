//! The page of a comparison, with its plots and its manifest.

use super::{Compared, load, study};
use crate::cli::Outcome;
use crate::cli::arguments::CompareArguments;
use crate::cli::console::Console;
use crate::report::compare::{self, Book, Chapter, ChapterStudy};
use std::fs;
use std::path::{Path, PathBuf};

/// Runs the comparisons and writes the page.
pub(super) fn write(
    typed: &CompareArguments,
    chapters: &[&[PathBuf]],
    folder: &Path,
    console: &mut Console,
) -> Result<Outcome, String> {
    let mut book = Book { chapters: Vec::new(), command: command(typed) };
    for files in chapters {
        let Some(plans) = load(files, &typed.topology, console) else {
            return Ok(Outcome::BadInput);
        };
        let study = match study(&typed.trials, &plans, console)? {
            Compared::Years(study) => ChapterStudy::Years(study),
            Compared::Runs(study) => ChapterStudy::Runs(study),
        };
        let (_, plan) = plans.first().ok_or("nothing to compare")?;
        let texts: Result<Vec<String>, String> = files.iter().map(|file| text_of(file)).collect();
        let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        book.chapters.push(Chapter {
            name: plan.name.clone(),
            description: plan.description.clone(),
            scenario: (names.join(", "), texts?.concat()),
            study,
        });
    }
    save(&book, folder)?;
    console.print(&format!("{}\n", compare::finding(&book)));
    Ok(Outcome::Done)
}

/// What was typed, as it would be typed again; the folder is where the page stands.
fn command(typed: &CompareArguments) -> String {
    let mut words = vec!["hasim compare".to_owned()];
    words.extend(typed.scenarios.iter().map(|path| path.display().to_string()));
    if !typed.topology.is_empty() {
        let names: Vec<&str> = typed.topology.iter().map(|word| word.name()).collect();
        words.push(format!("--topology {}", names.join(",")));
    }
    let asked = &typed.trials;
    let numbers = [("--trials", asked.trials), ("--years", asked.years), ("--seed", asked.seed)];
    let given = numbers.iter().filter_map(|(name, n)| n.map(|n| format!("{name} {n}")));
    words.extend(given);
    words.push("--report DIR".to_owned());
    words.join(" ")
}

fn save(book: &Book, folder: &Path) -> Result<(), String> {
    let cannot = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| format!("cannot write {path}: {error}")
    };
    fs::create_dir_all(folder).map_err(cannot(folder))?;
    let put = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(cannot(&path))
    };
    for chapter in &book.chapters {
        put(&format!("{}.svg", chapter.name), &compare::svg(chapter)?)?;
    }
    put("README.md", &compare::markdown(book))?;
    put("index.html", &compare::html(book))?;
    let manifest = serde_json::to_string_pretty(&compare::manifest(book));
    put("manifest.json", &(manifest.map_err(|error| error.to_string())? + "\n"))
}

fn text_of(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}
