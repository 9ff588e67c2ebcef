//! The program when things go wrong around it: death at every failpoint, canaries beside the order.
#![cfg(test)]

mod attached;
mod base;
mod beside;
mod canaries;
mod catchup;
mod changed;
mod consigned;
mod constraint;
mod csv;
mod cut;
mod dumps;
mod entity;
mod everywhere;
mod forms;
mod freeze;
mod full;
mod given_back;
mod journal;
mod kill;
mod kin;
mod known;
mod laboratory;
mod lies;
mod pair;
mod pending;
mod persons;
mod sampled;
mod staging;
mod starts;
mod steps;
mod twice;
mod undo;
mod volumes;
mod worked;
