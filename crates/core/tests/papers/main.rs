//! The papers, written and signed as people would, then spoilt in every way.

#[cfg(test)]
mod amendment;
#[cfg(test)]
mod archive;
#[cfg(test)]
mod certificate;
#[cfg(test)]
mod comparison;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod destruction;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod mandate;
#[cfg(test)]
mod places;
#[cfg(test)]
mod plain;
#[cfg(test)]
mod recipient;
#[cfg(test)]
mod session;
#[cfg(test)]
mod signatures;
#[cfg(test)]
mod status;
#[cfg(test)]
mod support;
