//! A campaign: many laboratories, each in a migration folder of its own, on one board.
//!
//! Nothing here signs, moves or mixes: every laboratory's papers are its own, and what it has from its
//! product was copied into its folder at one moment ([`inherit`]). A folder that cannot be read is a line
//! of the board with its code, and never the end of the board.

pub(crate) mod board;
mod contained;
pub(crate) mod diff;
pub(crate) mod each;
mod figure;
pub(crate) mod inherit;
pub(crate) mod lay_out;
pub(crate) mod page;
mod product;
pub(crate) mod row;

use std::path::{Path, PathBuf};

use ecluse_core::campaign::{self, Campaign, FILE, Laboratory};
use ecluse_core::fault::{Code, Result};
use ecluse_core::nearest::suggestion;

use self::contained::contained;
use crate::folder::Folder;
use crate::papers::Paper;

static NONE: Code = Code::usage("ECL-CAM-010", "no campaign here");
static NO_LABORATORY: Code = Code::usage("ECL-CAM-011", "the campaign has no such laboratory");
static NO_FOLDER: Code = Code::refused("ECL-CAM-012", "the laboratory's folder is not there");

/// A campaign's paper, and where its folders lie.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    pub(crate) root: PathBuf,
    pub(crate) campaign: Campaign,
}

impl Whole {
    /// Reads `campaign.toml`.
    ///
    /// # Errors
    ///
    /// [`NONE`]; what is wrong with the paper.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let path = root.join(FILE);
        if !path.is_file() {
            return Err(NONE
                .fault(path.display().to_string())
                .help(format!("ecluse campaign new {}", root.display())));
        }
        let paper = Paper::read(&path, "")?;
        let campaign = paper.judge(campaign::parse(paper.text()))?;
        Ok(Self { root: root.to_owned(), campaign })
    }

    /// A laboratory's migration folder, which holds its own papers.
    ///
    /// # Errors
    ///
    /// [`NO_FOLDER`]; `ECL-CAM-016` where a paper is a link, a pipe or a device.
    pub(crate) fn folder(&self, laboratory: &Laboratory) -> Result<Folder> {
        let path = self.root.join(&laboratory.folder.value);
        if path.is_dir() {
            contained(&self.root, &path)?;
            return Ok(Folder::at(path));
        }
        Err(NO_FOLDER
            .fault(path.display().to_string())
            .help(format!("ecluse campaign new {}", self.root.display())))
    }

    /// The laboratories of these folders, in the campaign's order; all of them where none is named.
    ///
    /// # Errors
    ///
    /// [`NO_LABORATORY`], with the nearest name.
    pub(crate) fn chosen(&self, only: &[String]) -> Result<Vec<&Laboratory>> {
        let folders = || self.campaign.laboratories.iter().map(|l| l.folder.value.as_str());
        if let Some(wrong) = only.iter().find(|name| folders().all(|folder| folder != name.as_str())) {
            let help = suggestion(wrong, folders())
                .unwrap_or_else(|| "--only takes the folder's name, as campaign.toml has it".to_owned());
            return Err(NO_LABORATORY.fault(wrong.clone()).help(help));
        }
        let wanted = |l: &&Laboratory| only.is_empty() || only.contains(&l.folder.value);
        Ok(self.campaign.laboratories.iter().filter(wanted).collect())
    }
}
