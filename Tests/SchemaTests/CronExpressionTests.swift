import Schema
import Testing

@Suite struct CronExpressionTests {
    @Test(
        arguments: [
            ("* * * * *", 60, 24), ("5 0 * * *", 1, 1), ("*/15 8-18 * * mon-fri", 4, 11), ("0,30 */6 1,15 * *", 2, 4),
            ("10-20/5 5/6 * jan-MAR sun", 3, 4), ("59 23 31 12 7", 1, 1), ("0  3\t* * fri-sun", 1, 1),
        ] as [(String, Int, Int)]
    )
    func reads(_ text: String, minutes: Int, hours: Int) throws {
        let schedule = try CronExpression(text)
        #expect(schedule.minutes.nonzeroBitCount == minutes)
        #expect(schedule.hours.nonzeroBitCount == hours)
        #expect(try CronExpression(schedule.text) == schedule)
    }

    @Test(
        arguments: [
            ("60 * * * *", "minute", "'60' is no minute; write 0 to 59"),
            ("* 24 * * *", "hour", "'24' is no hour"),
            ("* * 0 * *", "day of the month", "'0' is no day of the month; write 1 to 31"),
            ("* * * 13 *", "month", "'13' is no month; write 1 to 12 or jan-dec"),
            ("* * * * 8", "day of the week", "'8' is no day of the week; write 0 to 7 or sun-sat"),
            ("* * * * tues", "day of the week", "'tues' is no day of the week"),
            ("5-1 * * * *", "minute", "'5-1' is no minute"),
            ("*/0 * * * *", "minute", "'*/0' is no minute"),
            ("1,,2 * * * *", "minute", "'' is no minute"),
            ("+1 * * * *", "minute", "'+1' is no minute"),
            ("* * * * mon-", "day of the week", "'mon-' is no day of the week"),
            ("0 0 30 2 *", "day of the month", "'30' never comes in the month '2'"),
            ("0 0 31 4,6 *", "day of the month", "'31' never comes in the month '4,6'"),
        ]
    )
    func pointsToTheField(_ text: String, field: String, message: String) {
        #expect { try CronExpression(text) } throws: { error in
            guard let fault = error as? CronExpression.Fault else { return false }
            return fault.field == field && fault.description.contains(message)
        }
    }

    @Test(arguments: ["", "* * * *", "0 0 3 * * *", "@daily"])
    func countsFields(_ text: String) {
        #expect { try CronExpression(text) } throws: { "\($0)".contains("write the five of cron") }
    }

    @Test(
        arguments: [
            // Both kinds of day are restricted: either one counts.
            ("0 0 13 * fri", 13, 1, true), ("0 0 13 * fri", 6, 5, true), ("0 0 13 * fri", 6, 4, false),
            // One of them is free: the other decides.
            ("0 0 13 * *", 13, 1, true), ("0 0 13 * *", 6, 5, false), ("0 0 * * fri", 6, 5, true),
            ("0 0 * * fri", 13, 1, false), ("0 0 */2 * fri", 3, 5, true), ("0 0 */2 * fri", 4, 5, false),
            ("0 0 * * 7", 1, 0, true), ("0 0 * * 0", 1, 0, true), ("0 0 * * 5-7", 1, 0, true),
        ] as [(String, Int, Int, Bool)]
    )
    func days(_ text: String, day: Int, weekday: Int, isIncluded: Bool) throws {
        #expect(try CronExpression(text).includes(month: 6, day: day, weekday: weekday) == isIncluded)
    }

    @Test func leapDayIsPossible() throws {
        let schedule = try CronExpression("0 0 29 2 *")
        #expect(schedule.includes(month: 2, day: 29, weekday: 4))
        #expect(!schedule.includes(month: 3, day: 29, weekday: 4))
    }
}
