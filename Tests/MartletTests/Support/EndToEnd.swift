internal import Testing

/// Everything here drives real controllers; one test at a time, since each of them wants the whole machine.
@Suite(.serialized)
enum EndToEnd {}
