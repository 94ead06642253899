/// Tokens of a text where no tokenizer is at hand, counted on the safe side. Pure.
///
/// A run of ASCII letters and digits counts one token for every three of them; a line break, and any other ASCII
/// character but single spaces, counts one; any other character counts one less than its bytes in UTF-8. That is about
/// one and a half times what tokenizers make of English, and more than they make of other languages and of code. Only
/// letters without meaning come to more, three times as much at most.
enum TokenEstimate {
    /// At least as many tokens as an ordinary text has.
    static func count(_ text: String) -> Int {
        var count = 0
        var run = 0
        var isAfterSpace = false
        for scalar in text.unicodeScalars {
            let isOfRun = scalar.isASCII && (scalar.properties.isAlphabetic || (0x30...0x39).contains(scalar.value))
            if isOfRun {
                run += 1
                // One for each three that are begun.
                if run % 3 == 1 { count += 1 }
                isAfterSpace = false
                continue
            }
            run = 0
            let isSpace = scalar == " "
            if scalar.isASCII {
                // A word's token takes the space in front of it in.
                if !isSpace || isAfterSpace { count += 1 }
            } else {
                count += max(1, UTF8.width(scalar) - 1)
            }
            isAfterSpace = isSpace
        }
        return count
    }
}
