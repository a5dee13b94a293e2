//! What must hold for the reader whatever comes.
