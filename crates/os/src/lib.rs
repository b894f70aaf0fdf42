//! What the operating system gives to every process of Keybearer
