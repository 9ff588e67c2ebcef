//! The whole chain on LabBook, its figures held against independent counts.

use crate::migration::Migration;

/// (destination table, rows that LabBook itself counts).
pub(crate) fn counts(m: &Migration) -> Vec<(&'static str, String)> {
    let requests = "select id_data from sigl_02_data where rec_date_receipt >= '2015-01-01' and statut = 256";
    let analyses = format!("select id_data from sigl_04_data where id_dos in ({requests})");
    let results = format!("select id_data from sigl_09_data where id_analyse in ({analyses})");
    let validations = format!(
        "from sigl_10_data where id_resultat in ({results}) and type_validation = 252 and motif_annulation is null"
    );
    let terms = "'unite_valeur', 'famille_analyse', 'type_prel', 'type_resultat', 'prel_statut'";
    let one = |sql: String| m.source.sql(&sql).trim().to_owned();
    vec![
        ("request", one(format!("select count(*) from ({requests}) r"))),
        (
            "patient",
            one(format!(
                "select count(*) from sigl_03_data where id_data in (select id_patient from sigl_02_data where id_data in ({requests}))"
            )),
        ),
        ("specimen", one(format!("select count(*) from sigl_01_data where id_dos in ({requests})"))),
        ("analysis_request", one(format!("select count(*) from ({analyses}) a"))),
        ("result", one(format!("select count(*) from ({results}) r"))),
        ("validation", one(format!("select count(*) {validations}"))),
        (
            "validator",
            one(format!(
                "select count(*) from sigl_user_data where id_data in (select utilisateur {validations})"
            )),
        ),
        ("analysis", one("select count(*) from sigl_05_data".to_owned())),
        ("variable", one("select count(*) from sigl_07_data".to_owned())),
        ("analysis_variable", one("select count(*) from sigl_05_07_data where id_refanalyse in (select id_data from sigl_05_data) and id_refvariable in (select id_data from sigl_07_data)".to_owned())),
        ("term", one(format!("select count(*) from sigl_dico_data where binary dico_name in ({terms})"))),
    ]
}

// proves: EXT-04, REC-02, REC-03
#[test]
fn labbook_moves_under_its_worked_papers() {
    let Some(m) = Migration::new() else { return };
    let plan = m.operator(&["plan"]);
    assert_eq!(plan.code, Some(0), "{}", plan.text);
    // counted, and nobody of the laboratory has seen it yet
    let unseen = m.operator(&["migrate"]);
    assert!(unseen.code == Some(1) && unseen.text.contains("ECL-LOG-044"), "{}", unseen.text);
    m.witnessed();
    // the administrator's own account reads far more than was ordered
    let wider = m.operator(&["migrate", "--from", &m.administrator()]);
    assert_eq!(wider.code, Some(1), "{}", wider.text);
    assert_eq!(m.destination.sql("select count(*) from patient").trim(), "0");
    assert!(m.killed_after(6), "it ended before it could be killed");
    assert!(m.killed_after(6), "it ended before it could be killed again");
    let migrate = m.operator(&["migrate"]);
    assert_eq!(migrate.code, Some(0), "{}", migrate.text);
    for (table, wanted) in counts(&m) {
        assert_eq!(m.destination.sql(&format!("select count(*) from {table}")).trim(), wanted, "{table}");
        assert_ne!(wanted, "0", "{table}");
    }
    let reconcile = m.operator(&["reconcile"]);
    assert_eq!(reconcile.code, Some(0), "{}", reconcile.text);
    // a value beside its source's, through the code table and across the chain to the validator's name
    let row = "select p.family_name || '|' || p.gender || '|' || r.value || '|' || v.family_name || '|' || coalesce(c.comment, '-')
        from result r join analysis_request a on a.id = r.analysis_request_id join request q on q.id = a.request_id
        join patient p on p.id = q.patient_id join validation c on c.result_id = r.id join validator v on v.id = c.validator_id
        where r.id = (select min(result_id) from validation where comment is not null)";
    let same = "select concat_ws('|', p.nom, if(p.sexe = 1, 'male', 'female'), r.valeur, u.lastname, v.commentaire)
        from sigl_09_data r join sigl_04_data a on a.id_data = r.id_analyse join sigl_02_data q on q.id_data = a.id_dos
        join sigl_03_data p on p.id_data = q.id_patient join sigl_10_data v on v.id_resultat = r.id_data
        join sigl_user_data u on u.id_data = v.utilisateur
        where q.rec_date_receipt >= '2015-01-01' and v.commentaire is not null order by r.id_data limit 1";
    assert_eq!(m.destination.sql(row).trim(), m.source.sql(same).trim());
    let report = m.ecluse(&["report"]);
    assert_eq!(report.code, Some(0), "{}", report.text);
    nothing_else_arrived(&m);
    a_swap_is_found_named_and_put_right(&m);
}

/// Two requests given to each other's patient, behind the program's back.
fn a_swap_is_found_named_and_put_right(m: &Migration) {
    m.destination.sql(
        "create temporary table two as select id, patient_id from request where id in
             ((select min(id) from request), (select max(id) from request));
         update request set patient_id = (select t.patient_id from two t where t.id <> request.id)
             where id in (select id from two)",
    );
    let reconcile = m.operator(&["reconcile"]);
    assert_eq!(reconcile.code, Some(1), "{}", reconcile.text);
    assert!(reconcile.text.contains("ECL-REC-003"), "{}", reconcile.text);
    assert_eq!(reconcile.text.matches("column patient_id").count(), 2, "{}", reconcile.text);
    let repair = m.operator(&["migrate", "--repair"]);
    assert_eq!(repair.code, Some(0), "{}", repair.text);
    let again = m.operator(&["reconcile"]);
    assert_eq!(again.code, Some(0), "{}", again.text);
}

/// Values that stand beside what was ordered: an address, a telephone, the account's name and password.
const STAYS: [&str; 5] =
    ["313 Lockman Row", "555-978-4581", "evauquelin", "never-moves-4f1c", "e.vauquelin@"];

fn nothing_else_arrived(m: &Migration) {
    for value in &STAYS {
        let quoted = format!("'%{value}%'");
        for (table, _) in counts(m) {
            let found =
                m.destination.sql(&format!("select count(*) from {table} t where t::text like {quoted}"));
            assert_eq!(found.trim(), "0", "{value} in {table}");
        }
    }
    let found = ecluse_testkit::leak::Search::new(&STAYS).folder(&m.path("run"));
    assert!(found.is_empty(), "{found:?}");
    // and what was ordered is in the two databases, not in the run's folder
    let found = ecluse_testkit::leak::Search::new(&["Vauquelin", "999-22-1962"]).folder(&m.path("run"));
    assert!(found.is_empty(), "{found:?}");
}
