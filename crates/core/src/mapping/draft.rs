//! Drafts a mapping: every granted column to a column of the same name.

use super::FORMAT;
use crate::instruction::Order;
use crate::reader::quote;

/// The draft: same table names, same column names, values as they are.
#[must_use]
pub fn draft(order: &Order) -> String {
    let mut out = format!(
        "# What becomes of each granted column: DESTINATION = \"source\", or\n\
         #   {{ cast = \"source\" }}                      another type; what does not fit is refused and counted\n\
         #   {{ column = \"source\", required = true }}   a row without a value is refused and counted\n\
         #   {{ column = \"source\", zone = \"Europe/Paris\" }}   a local time becomes an instant\n\
         #   {{ column = \"source\", zero_date = \"null\" }}      0000-00-00 means that nothing was recorded\n\
         #   {{ column = \"source\", bytes = \"utf-8\" }}         UTF-8 that was kept in a latin1 column\n\
         #   {{ column = \"source\", boolean = {{ true = [\"O\"], false = [\"N\"] }} }}\n\
         #   {{ constant = \"text\" }}\n\
         #   {{ concat = [{{ column = \"a\" }}, \" \", {{ column = \"b\" }}] }}\n\
         #   {{ code = \"source\", table = \"sex\" }}       through a code table:\n\
         # [[code_table]]\n# name = \"sex\"\n# file = \"codes/sex.toml\"\n# digest = \"sha256:…\"\n\n\
         [mapping]\nformat = {}\n",
        quote(FORMAT)
    );
    for table in &order.tables {
        let name = quote(&table.name.value);
        out += &format!("\n[[table]]\nfrom = {name}\nto   = {name}\n[table.columns]\n");
        for column in &table.columns {
            out += &format!("{} = {}\n", key(&column.name.value), quote(&column.name.value));
        }
    }
    out
}

/// A name as a TOML key: bare where it can be.
fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if bare { name.to_owned() } else { quote(name) }
}
