//! The signature profile, against OpenSSH's own vectors, `ssh-keygen` itself, and every malleation we know.

mod support;

mod malleations;
mod openssh;
mod vectors;
