//! The stories of tests/ that need no desktop
