internal import NIOCore

/// Sends what is written in one turn of the event loop at once.
///
/// The client flushes a request's head before its body. A small request would take two system calls here, two packets, and
/// two wake-ups of the server that reads it.
final class FlushJoiner: ChannelOutboundHandler {
    typealias OutboundIn = Never

    private var isFlushDue = false

    func flush(context: ChannelHandlerContext) {
        guard !self.isFlushDue else { return }
        self.isFlushDue = true
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        context.eventLoop.execute {
            bound.value.handler.isFlushDue = false
            bound.value.context.flush()
        }
    }

    /// What is closed takes along only what was flushed before.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if self.isFlushDue { context.flush() }
        context.close(mode: mode, promise: promise)
    }
}
