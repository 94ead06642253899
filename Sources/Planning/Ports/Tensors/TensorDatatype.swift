/// What the elements of a tensor are, named as the Open Inference Protocol names it.
package enum TensorDatatype: String, Sendable, Hashable, Codable, CaseIterable {
    /// One byte each, 0 or 1.
    case bool = "BOOL"
    case uint8 = "UINT8"
    case uint16 = "UINT16"
    case uint32 = "UINT32"
    case uint64 = "UINT64"
    case int8 = "INT8"
    case int16 = "INT16"
    case int32 = "INT32"
    case int64 = "INT64"
    case fp16 = "FP16"
    /// The upper half of an FP32.
    case bf16 = "BF16"
    case fp32 = "FP32"
    case fp64 = "FP64"
    /// Texts, or whatever else has a length of its own.
    case bytes = "BYTES"

    /// The bytes of one element; nil where each has a length of its own.
    package var width: Int? {
        switch self {
        case .bool, .uint8, .int8: 1
        case .uint16, .int16, .fp16, .bf16: 2
        case .uint32, .int32, .fp32: 4
        case .uint64, .int64, .fp64: 8
        case .bytes: nil
        }
    }
}

/// A number that the elements of a tensor can be read and written as.
package protocol TensorElement: BitwiseCopyable, Sendable {
    static var datatype: TensorDatatype { get }
}

extension UInt8: TensorElement { package static var datatype: TensorDatatype { .uint8 } }
extension UInt16: TensorElement { package static var datatype: TensorDatatype { .uint16 } }
extension UInt32: TensorElement { package static var datatype: TensorDatatype { .uint32 } }
extension UInt64: TensorElement { package static var datatype: TensorDatatype { .uint64 } }
extension Int8: TensorElement { package static var datatype: TensorDatatype { .int8 } }
extension Int16: TensorElement { package static var datatype: TensorDatatype { .int16 } }
extension Int32: TensorElement { package static var datatype: TensorDatatype { .int32 } }
extension Int64: TensorElement { package static var datatype: TensorDatatype { .int64 } }
extension Float16: TensorElement { package static var datatype: TensorDatatype { .fp16 } }
extension Float: TensorElement { package static var datatype: TensorDatatype { .fp32 } }
extension Double: TensorElement { package static var datatype: TensorDatatype { .fp64 } }
