//! The signature profile, against OpenSSH's own vectors, `ssh-keygen` itself, and every malleation we know.

#[cfg(test)]
mod support;

#[cfg(test)]
mod malleations;
#[cfg(test)]
mod openssh;
#[cfg(test)]
mod vectors;
