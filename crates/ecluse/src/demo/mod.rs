//! `ecluse demo`: the main job on an invented laboratory, embedded.

mod laboratory;
