/// Finds international bank account numbers: as long as their country says, with the check digits of ISO 13616.
enum IBANFinder {
    /// The range of the number that begins at a letter; nil where there is none.
    static func range(at start: Int, in bytes: [UInt8]) -> Range<Int>? {
        guard start + 3 < bytes.count, bytes[start + 1].isLetter, bytes[start + 2].isDigit, bytes[start + 3].isDigit
        else { return nil }
        let country = String(decoding: bytes[start..<start + 2].map(self.upper), as: UTF8.self)
        guard let length = self.lengths[country] else { return nil }
        var (characters, place) = ([UInt8](), start)
        while characters.count < length, place < bytes.count {
            let byte = bytes[place]
            if byte.isDigit || byte.isLetter {
                characters.append(self.upper(byte))
            } else if byte != UInt8(ascii: " ") || !characters.count.isMultiple(of: 4) || bytes[place - 1] == byte {
                // On paper it comes in groups of four.
                return nil
            }
            place += 1
        }
        guard characters.count == length, place == bytes.count || !bytes[place].isWord else { return nil }
        return self.isValid(characters) ? start..<place : nil
    }

    /// With its first four characters behind the others and letters as two digits, it leaves 1 when divided by 97.
    static func isValid(_ characters: [UInt8]) -> Bool {
        var rest = 0
        for character in characters[4...] + characters[..<4] {
            rest =
                character.isDigit
                ? (rest * 10 + Int(character - UInt8(ascii: "0"))) % 97
                : (rest * 100 + Int(character - UInt8(ascii: "A")) + 10) % 97
        }
        return rest == 1
    }

    private static func upper(_ byte: UInt8) -> UInt8 {
        (0x61...0x7A).contains(byte) ? byte - 0x20 : byte
    }

    /// Characters by country: the registry of ISO 13616.
    private static let lengths: [String: Int] = [
        "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
        "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
        "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
        "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
        "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18,
        "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SD": 18,
        "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22,
        "VG": 24, "XK": 20,
    ]
}
