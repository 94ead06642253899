import NIOCore
import NIOEmbedded
import Testing

@testable import Engines

struct FlushJoinerTests {
    /// Counts the flushes that come through.
    private final class FlushCounter: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var flushes = 0

        func flush(context: ChannelHandlerContext) {
            self.flushes += 1
            context.flush()
        }
    }

    @Test("what is written in one turn of the loop is sent at once")
    func joins() throws {
        let (channel, counter) = (EmbeddedChannel(), FlushCounter())
        try channel.pipeline.syncOperations.addHandlers([counter, FlushJoiner()])
        for text in ["head", "body"] { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        channel.embeddedEventLoop.run()
        #expect(counter.flushes == 1)
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: "head"))
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: "body"))

        channel.writeAndFlush(ByteBuffer(string: "more"), promise: nil)
        channel.embeddedEventLoop.run()
        #expect(counter.flushes == 2)
        _ = try channel.finish()
    }

    @Test("what was written is sent before the connection closes")
    func closes() throws {
        let channel = EmbeddedChannel(handler: FlushJoiner())
        channel.writeAndFlush(ByteBuffer(string: "last"), promise: nil)
        channel.close(promise: nil)
        channel.embeddedEventLoop.run()
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: "last"))
    }
}
