//! A rehearsal on whole dossiers from a PostgreSQL source that is read as people would read it: through its
//! administrator's views. Files go with their rows; of a person who stays no dossier is drawn.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ecluse_testkit::migration::{Migration, Ordered};
use ecluse_testkit::papers::Paper;
use serde_json::Value;

use crate::base::Base;
use crate::laboratory::now;
use crate::pair::{plainly, reconciled};
use crate::persons::cite;

const SCHEMA: &str = "
create table patient (id bigint not null primary key, nom varchar(40) not null);
create table demande (id bigint not null primary key, patient_id bigint not null references patient (id),
  corrige bigint null references demande (id), numero varchar(40) not null);
create table resultat (id bigint not null primary key, demande_id bigint not null references demande (id),
  nature varchar(40) not null, valeur varchar(40) not null);
create table compte_rendu (id bigint not null primary key, demande_id bigint not null references demande (id),
  fichier varchar(120) not null);
";

/// 40 patients, 120 requests with two results and a report each. Only request 75 has a culture, only 77
/// corrects another (76), and the only genetic result is of request 58, whose patient (7) stays.
const ROWS: &str = "
insert into patient select i, 'Inventee-' || i from generate_series(1, 40) i;
insert into demande select i, 1 + (i * 7) % 40, case i when 77 then 76 end, 'N' || i from generate_series(1, 120) i;
insert into resultat select i, 1 + (i - 1) / 2, case i when 150 then 'culture' when 115 then 'adn' else 'autre' end,
  'V' || i from generate_series(1, 240) i;
insert into compte_rendu select i, i, 'R' || i from generate_series(1, 120) i;
";

/// Who stays: patients 7 and 14, with three requests each.
const LIST: &str = "7\n14\n";

const DOSSIER: &str = "
[dossier]
table = \"demande\"

[dossier.kinds]
microbiologie = { table = \"resultat\", where = 'nature == \"culture\"' }
corrigee      = 'corrige != null'
genetique     = { table = \"resultat\", where = 'nature == \"adn\"' }

[pending]
";

struct Lab {
    made: Migration,
    from: Base,
    to: Base,
    new: PathBuf,
    run: PathBuf,
    _folder: tempfile::TempDir,
}

impl Lab {
    fn between(from: Base, to: Base) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().canonicalize().unwrap();
        let (old, new, papers) = (home.join("old"), home.join("new"), home.join("papers"));
        [&old, &new].into_iter().for_each(|folder| std::fs::create_dir(folder).unwrap());
        for i in 1..=120 {
            std::fs::write(old.join(format!("R{i}.pdf")), format!("Compte rendu {i}")).unwrap();
        }
        from.sql(&format!("{SCHEMA}{ROWS}"));
        to.sql(SCHEMA);
        let whole = |table, columns: &[&'static str]| Ordered {
            table,
            rows: "true",
            columns: columns.to_vec(),
            reasoned: vec!["demande_id"],
        };
        let order = [
            whole("patient", &["id", "nom"]),
            whole("demande", &["id", "patient_id", "corrige", "numero"]),
            whole("resultat", &["id", "demande_id", "nature", "valeur"]),
            whole("compte_rendu", &["id", "demande_id", "fichier"]),
        ];
        let program = Path::new(env!("CARGO_BIN_EXE_ecluse"));
        let mut made =
            Migration::new(program, &papers, now(), &from.as_source(), &to.as_destination(), &order);
        let text = made.papers();
        text.instruction = text.instruction.replacen("\n[pending]\n", DOSSIER, 1);
        let receives = format!("files = \"{}\"\n\n[erasure]", new.display());
        text.edit(Paper::Instruction, "\n[erasure]", &receives);
        text.instruction += &format!(
            "\n[[table.files]]\ncolumn = \"fichier\"\nfolder = \"{}\"\nsuffix = \".pdf\"\n",
            old.display()
        );
        text.write(&papers);
        let list = home.join("opposition.txt");
        std::fs::write(&list, LIST).unwrap();
        let list = list.display().to_string();
        let said =
            made.succeed(&["instruction", "exclude", &list, "--table", "patient", "--erase", "--json"]);
        let said: Value = serde_json::from_str(&said).unwrap();
        cite(&mut made, said["digest"].as_str().unwrap());
        if let Base::Postgres(source) = &from {
            made.grant_reader(source);
        }
        Self { made, from, to, new, run: home.join("run"), _folder: folder }
    }

    fn moves(&self, more: &[&str]) -> String {
        let answer = plainly(&self.made, &self.run, more);
        answer.holds();
        answer.out
    }

    /// Every dossier there is whole, with its report's own file, and nothing else is there.
    fn whole_dossiers(&self) -> BTreeSet<u32> {
        let there = self.to.sql("select id from demande order by id");
        let drawn = there.trim().replace('\n', ", ");
        let asked = |sql: &str| self.from.sql(&sql.replace("{drawn}", &drawn)).trim().to_owned();
        for (table, wanted) in [
            ("patient", "select distinct patient_id from demande where id in ({drawn}) order by 1"),
            ("resultat", "select id from resultat where demande_id in ({drawn}) order by 1"),
            ("compte_rendu", "select id from compte_rendu where demande_id in ({drawn}) order by 1"),
        ] {
            let found = self.to.sql(&format!("select id from {table} order by id"));
            assert_eq!(found.trim(), asked(wanted), "{table}");
        }
        assert_eq!(
            asked("select count(*) from demande where id in ({drawn}) and patient_id in (7, 14)"),
            "0"
        );
        let requests: BTreeSet<u32> = there.lines().map(|id| id.parse().unwrap()).collect();
        for id in &requests {
            let name = self.to.sql(&format!("select fichier from compte_rendu where demande_id = {id}"));
            let report = std::fs::read_to_string(self.new.join(name.trim())).unwrap();
            assert_eq!(report, format!("Compte rendu {id}"));
        }
        assert_eq!(self.files(), requests.len());
        requests
    }

    fn files(&self) -> usize {
        let below = |folder: PathBuf| std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
        below(self.new.clone()).flat_map(below).flat_map(below).count()
    }
}

fn a_sample_is_drawn(from: Base, to: Base) {
    let lab = Lab::between(from, to);
    let said = lab.moves(&["--sample", "8"]);
    for told in
        ["Sample of 8 dossiers", "microbiologie   1 of 1", "corrigee   1 of 1", "genetique   not found"]
    {
        assert!(said.contains(told), "{told}\n{said}");
    }
    let drawn = lab.whole_dossiers();
    // 77 leads to 76, which may be among those that were drawn
    assert!((8..=9).contains(&drawn.len()), "{drawn:?}");
    assert!([75, 76, 77].iter().all(|id| drawn.contains(id)), "{drawn:?}");
    reconciled(&lab.made, &lab.run).holds();
    // a larger one holds it, and still nobody who stays
    lab.moves(&["--sample", "60"]);
    assert!(drawn.is_subset(&lab.whole_dossiers()));
    lab.moves(&[]);
    assert_eq!(lab.whole_dossiers().len(), 114);
    reconciled(&lab.made, &lab.run).holds();
}

// proves: EXT-09
#[test]
fn a_sample_through_granted_views_is_of_whole_dossiers_into_postgresql() {
    let (Some(from), Some(to)) = (Base::postgres("sample"), Base::postgres("sampled")) else { return };
    a_sample_is_drawn(from, to);
}

#[test]
fn a_sample_through_granted_views_is_of_whole_dossiers_into_mariadb() {
    let (Some(from), Some(to)) = (Base::postgres("sample"), Base::mariadb("sampled")) else { return };
    a_sample_is_drawn(from, to);
}
