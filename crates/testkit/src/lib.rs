//! Strict fakes, scripted ports and the demo company
