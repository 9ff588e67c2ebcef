//! The connections of an order, and the plan that its papers compile to over them.

use std::collections::BTreeSet;

use ecluse_adapters::pin;
use ecluse_adapters::url::Url;
use ecluse_core::catalog::{Catalog, Table};
use ecluse_core::fault::{Fault, Result};
use ecluse_core::instruction::Endpoint;
use ecluse_core::mapping::Mapping;
use ecluse_core::plan::{Compiled, Inputs, NO_TABLE, Plan, Refusal, compile};
use ecluse_flow::ports::{Destination, Scope, Source};

use super::{Ends, Missing, sealed};
use crate::cli::PaperArgs;
use crate::commands::Here;
use crate::connections::End;
use crate::papers::chain::Chain;
use crate::papers::{Paper, refusal};
use crate::{clear, connect, connections};

/// The papers that say what moves, and the two databases they are about.
pub(crate) struct Parts {
    pub(crate) chain: Chain,
    pub(crate) source: Url,
    pub(crate) destination: Url,
    pub(crate) ends: Ends,
}

impl Parts {
    /// Connects to both databases of a chain that was verified.
    ///
    /// # Errors
    ///
    /// URLs that are none, or not bound to the signed keys; the adapters'.
    pub(crate) fn connect(here: &Here, args: &PaperArgs, chain: Chain) -> Result<Self> {
        let order = chain.instruction.order();
        let to = order.direct()?;
        let source = bound(here, End::Source, args.from.url().as_deref(), &order.source)?;
        let destination = bound(here, End::Destination, args.to.url().as_deref(), to)?;
        let ends =
            Ends { source: connect::source(&source)?, destination: connect::destination(&destination)? };
        Ok(Self { chain, source, destination, ends })
    }

    /// Compiles the plan from the papers and the two catalogues.
    ///
    /// Where tables are missing and may be supposed, it is compiled against them as they would be.
    ///
    /// # Errors
    ///
    /// Every problem found is shown; the first one's code comes back.
    pub(crate) fn plan(&mut self, views: bool, tables: Missing) -> Result<Planned> {
        let source = instructed(&self.chain, self.ends.source.as_mut())?;
        planned(&self.chain, &source, self.ends.destination.as_mut(), views, tables)
    }

    /// The plan of a trial: through the administrator's views where they were made, else without.
    pub(super) fn plan_of_trial(
        &mut self,
        tables: Missing,
        excuse: Option<String>,
    ) -> Result<(Planned, Option<String>)> {
        let planned = self.plan(true, tables)?;
        if self.ends.source.has_views(&planned.compiled.plan)? {
            return Ok((planned, None));
        }
        Ok((self.plan(false, tables)?, excuse))
    }

    /// The statements that would make the destination's missing tables; empty where none is missing.
    ///
    /// # Errors
    ///
    /// As [`Self::plan`], except that missing tables are what is asked for.
    pub(crate) fn missing_tables(&mut self) -> Result<Vec<String>> {
        let planned = self.plan(false, Missing::Suppose)?;
        Ok(planned.missing.iter().map(|table| self.ends.destination.ddl(table)).collect())
    }
}

/// A plan, and the destination's tables that it supposes, as they would have to be.
pub(crate) struct Planned {
    pub(crate) compiled: Compiled,
    pub(crate) missing: Vec<Table>,
    /// See [`Ready`].
    pub(super) returns: Option<String>,
}

/// The plan from the papers, a source's catalogue and the destination's.
pub(super) fn planned(
    chain: &Chain,
    source: &Catalog,
    destination: &mut dyn Destination,
    views: bool,
    tables: Missing,
) -> Result<Planned> {
    let mut there = mapped(chain, destination)?;
    let missing = match compiled(chain, source, &there, views) {
        Ok(compiled) => return Ok(Planned { compiled, missing: Vec::new(), returns: None }),
        Err(refused) if refused.missing.is_empty() || tables == Missing::Refuse => {
            return Err(told(chain, &refused));
        }
        Err(refused) => refused.missing,
    };
    there.tables.extend(missing.iter().map(|table| destination.supposed(table)));
    let compiled = compiled(chain, source, &there, views).map_err(|refused| told(chain, &refused))?;
    Ok(Planned { compiled, missing, returns: None })
}

/// What is read of the source, for the administrator's script, and where. The destination does not
/// bear on it: nothing is connected to there unless the instruction binds its tables.
///
/// # Errors
///
/// As [`Parts::connect`] and [`Parts::plan`].
pub(crate) fn reading(here: &Here, args: &PaperArgs, chain: &Chain) -> Result<(Url, Plan)> {
    let order = chain.instruction.order();
    let url = bound(here, End::Source, args.from.url().as_deref(), &order.source)?;
    let source = instructed(chain, connect::source(&url)?.as_mut())?;
    let Some(signed) = order.destination() else {
        return Ok((url, sealed::compiled(chain, &source, true)?.plan));
    };
    let mut destination = match &signed.schema {
        Some(_) => {
            let url = bound(here, End::Destination, args.to.url().as_deref(), signed)?;
            mapped(chain, connect::destination(&url)?.as_mut())?
        }
        None => Catalog {
            engine: signed.engine,
            database: signed.database.value.clone(),
            identity: signed.identity.value.clone(),
            tables: Vec::new(),
        },
    };
    let refused = match compiled(chain, &source, &destination, true) {
        Ok(compiled) => return Ok((url, compiled.plan)),
        Err(refused) if only_tables_missing(&refused) => refused,
        Err(refused) => return Err(told(chain, &refused)),
    };
    destination.tables.extend(refused.missing);
    let compiled = compiled(chain, &source, &destination, true).map_err(|refused| told(chain, &refused))?;
    Ok((url, compiled.plan))
}

/// The URL of one end, its server bound to the key that was signed for.
pub(super) fn bound(here: &Here, end: End, flag: Option<&str>, signed: &Endpoint) -> Result<Url> {
    let url = connect::parse(&connections::url(&here.folder, end, flag)?)?;
    clear::allowed(&url, signed)?;
    pinned(url.staging(signed.staging.as_ref().map(|folder| folder.value.clone().into())), signed)
}

/// The destination that an order names, as its URL.
///
/// # Errors
///
/// The URL's own; as [`clear::allowed`] and [`pin::bound`].
pub(crate) fn bound_destination(here: &Here, flag: Option<&str>, signed: &Endpoint) -> Result<Url> {
    bound(here, End::Destination, flag, signed)
}

/// The URL, its server bound to the key that an order states.
///
/// # Errors
///
/// As [`pin::bound`].
pub(crate) fn pinned(url: Url, stated: &Endpoint) -> Result<Url> {
    pin::bound(url, stated.tls_spki.as_ref().map(|key| key.value.as_str()))
}

pub(super) fn instructed(chain: &Chain, source: &mut dyn Source) -> Result<Catalog> {
    source.catalog(Scope::Tables(&chain.instruction.order().table_names()))
}

pub(super) fn mapped(chain: &Chain, destination: &mut dyn Destination) -> Result<Catalog> {
    written_tables(&chain.mapping, destination)
}

/// The destination's tables that a mapping writes, and those that their foreign keys lead to.
///
/// # Errors
///
/// The destination's.
pub(crate) fn written_tables(mapping: &Mapping, destination: &mut dyn Destination) -> Result<Catalog> {
    let tables: Vec<String> = mapping.tables.iter().map(|t| t.to.value.clone()).collect();
    let mut catalog = destination.catalog(Scope::Tables(&tables))?;
    let keys = catalog.tables.iter().flat_map(|t| &t.foreign_keys);
    let beyond: BTreeSet<&String> = keys.map(|key| &key.references).filter(|t| !tables.contains(t)).collect();
    let beyond: Vec<String> = beyond.into_iter().cloned().collect();
    if !beyond.is_empty() {
        catalog.tables.extend(destination.catalog(Scope::Tables(&beyond))?.tables);
    }
    Ok(catalog)
}

pub(super) fn compiled(
    chain: &Chain,
    source: &Catalog,
    destination: &Catalog,
    views: bool,
) -> std::result::Result<Compiled, Refusal> {
    compile(&Inputs {
        instruction: &chain.instruction,
        dictionary: &chain.dictionary,
        mapping: &chain.mapping,
        codes: &chain.codes,
        source,
        destination,
        views,
    })
}

/// Whether nothing but missing tables stands in the way.
pub(super) fn only_tables_missing(refused: &Refusal) -> bool {
    !refused.missing.is_empty() && refused.findings.iter().all(|f| *f.code == NO_TABLE)
}

pub(super) fn told(chain: &Chain, refused: &Refusal) -> Fault {
    let paper = Paper { path: chain.path.clone(), bytes: chain.bytes.clone(), signatures: Vec::new() };
    refusal(&paper.path, paper.text(), &refused.findings)
}
