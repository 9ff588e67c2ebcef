//! The campaign's folder as people would make it: each laboratory's papers signed by its own keys.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use ecluse_adapters::sqlite;
use ecluse_core::types::Engine;
use ecluse_flow::ports::Destination as _;
use ecluse_testkit::migration::End;
use ecluse_testkit::papers::{Paper, Papers, signatures_of, worked};
use ecluse_testkit::server::{Mariadb, MariadbDatabase};

use crate::{ends, labbook, now};

const INSTRUCTION: &str = include_str!("../../../../docs/labbook/instruction.toml");
const MAPPING: &str = include_str!("../../../../docs/labbook/mapping.toml");
const SEX: &str = include_str!("../../../../docs/labbook/codes/sex.toml");

/// The account that each laboratory's administrator makes.
const PASSWORD: &str = "only-for-this-test-7c1";

/// One laboratory: its source, its new system's file, its papers.
pub(crate) struct Laboratory {
    pub(crate) number: usize,
    pub(crate) source: MariadbDatabase,
    pub(crate) folder: PathBuf,
    papers: Papers,
}

impl Laboratory {
    /// A source of its own, and papers that its own signatory and biologist sign.
    pub(crate) fn new(server: &Mariadb, tables: &str, root: &Path, number: usize) -> Self {
        let source = labbook::database(server, tables, number);
        let folder = root.join(Self::name(number));
        let mut papers = Papers::new(now());
        let seed = u8::try_from(number).unwrap();
        (papers.signatory.seed, papers.biologist.seed) = ([seed; 32], [seed + 100; 32]);
        (papers.processor.seed, papers.operator.seed) = ([201; 32], [202; 32]);
        papers.edit(Paper::Contract, "Laboratoire Fontaine-Aubry", &Self::title(number));
        papers.edit(Paper::Contract, "FINESS 210009998", &format!("FINESS {}", Self::finess(number)));
        papers.mandate = (Engine::Mariadb, source.name().to_owned());
        Self { number, source, folder, papers }
    }

    pub(crate) fn name(number: usize) -> String {
        format!("lab{number:02}")
    }

    pub(crate) fn title(number: usize) -> String {
        format!("Laboratoire inventé {number:02}")
    }

    pub(crate) fn finess(number: usize) -> String {
        format!("99000{number:04}")
    }

    /// The new system's file.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("new.db")
    }

    /// As `campaign.toml` lists it.
    pub(crate) fn listed(&self) -> String {
        format!(
            "\n[[laboratory]]\nname = \"{}\"\nfolder = \"{}\"\nfiness = \"{}\"\nproduct = \"labbook\"\nfrom = \"{}\"\nto = \"sqlite:new.db\"\n",
            Self::title(self.number),
            Self::name(self.number),
            Self::finess(self.number),
            End::mariadb(&self.source).url(),
        )
    }

    /// Contract and mandate, filled in and signed by both sides, in the place of the templates.
    pub(crate) fn contracted(&self) {
        self.papers.write(&self.folder);
        for later in ["instruction.toml", "dictionary.toml", "mapping.toml", "status.toml", "session.toml"] {
            std::fs::remove_file(self.folder.join(later)).unwrap();
            let _ = std::fs::remove_dir_all(signatures_of(&self.folder.join(later)));
        }
        // where the program looks for the operator's identity by itself
        std::fs::copy(self.folder.join("keys/petit.age"), self.folder.join("keys/operator.age")).unwrap();
    }

    /// The order over what was surveyed and inherited, not signed: the program fills its digests in.
    pub(crate) fn ordered(&mut self) {
        // the new system is there, and empty
        drop(rusqlite::Connection::open(self.file()).unwrap());
        let identity = sqlite::Destination::open(&self.file()).unwrap().identity().unwrap();
        let source = End::mariadb(&self.source);
        let none = format!("sha256:{}", "0".repeat(64));
        let body = End::sqlite(&self.file(), identity)
            .named_in(&source.named_in(&worked(INSTRUCTION, now()), "source"), "destination")
            .replacen("engine   = \"postgresql\"", "engine   = \"sqlite\"", 1)
            .replace("\"SIGL\"", &format!("\"{}\"", self.source.name()))
            .replace("max_runs       = 1", "max_runs       = 2")
            .replace(
                "  \"service_interne\",",
                "  { name = \"service_interne\", reason = \"the ward is part of the request\" },",
            )
            .replace("{source.schema}", &none);
        self.papers.instruction = ["{dictionary}", "{mapping}"].iter().fold(body, |b, d| b.replace(d, &none));
        std::fs::write(self.folder.join("instruction.toml"), self.papers.text(Paper::Instruction)).unwrap();
    }

    /// Signed by this laboratory, once the digests stand in it; its biologist signs the code table; its
    /// administrator makes the views and the account.
    pub(crate) fn signed(&mut self) {
        let read = |name: &str| std::fs::read_to_string(self.folder.join(name)).unwrap();
        let filled = read("instruction.toml");
        let body = filled.split_once("\n[instruction]").unwrap().1;
        self.papers.instruction = format!("[instruction]{body}");
        (self.papers.dictionary, self.papers.mapping) = (read("dictionary.toml"), read("mapping.toml"));
        self.papers.codes = vec![("sex.toml".to_owned(), read("codes/sex.toml"))];
        self.papers.write(&self.folder);
        self.granted();
    }

    /// With its own journal before it, it states once more that its order stands.
    pub(crate) fn witnessed(&self) {
        ends(&self.folder, &["instruction", "status", "--key", "keys/fontaine"], 0);
    }

    fn granted(&self) {
        let account = format!("ro_{}", self.source.name());
        let script = ends(&self.folder, &["grants", "--role", &account, "--host", "127.0.0.1"], 0);
        let unlock = format!("ALTER USER '{account}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}' ACCOUNT UNLOCK;");
        self.source.server().sql("", &format!("{script}\n{unlock}"));
        let password = self.folder.join("reader.password");
        std::fs::write(&password, PASSWORD).unwrap();
        std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
        let connections = format!(
            "[source]\nurl = \"{}?password-file={}\"\n\n[destination]\nurl = \"sqlite:new.db\"\n",
            self.source.url_as(&account),
            password.display()
        );
        std::fs::write(self.folder.join("connections.toml"), connections).unwrap();
    }
}

impl Drop for Laboratory {
    fn drop(&mut self) {
        let account = format!("ro_{}", self.source.name());
        let remove =
            format!("drop user if exists '{account}'@'127.0.0.1'; drop database if exists {account};");
        let _ = self.source.server().try_sql("", &remove);
    }
}

/// The campaign's folder with its product's papers; laboratories are added to its list.
pub(crate) fn campaign(root: &Path, laboratories: &[Laboratory]) {
    let product = root.join("product");
    std::fs::create_dir_all(product.join("codes")).unwrap();
    std::fs::write(product.join("codes/sex.toml"), SEX).unwrap();
    let digest = ecluse_core::digest::of_bytes(SEX.as_bytes());
    std::fs::write(product.join("mapping.toml"), MAPPING.replace("{codes/sex.toml}", &digest)).unwrap();
    let mut list =
        "[campaign]\nformat = \"ecluse-campaign/1\"\nname = \"LabBook to the new system, 2026\"\n\n\
        [[product]]\nname = \"labbook\"\nfolder = \"product\"\ndictionary = \"labbook-3.5\"\n"
            .to_owned();
    laboratories.iter().for_each(|one| list += &one.listed());
    std::fs::write(root.join("campaign.toml"), list).unwrap();
}
