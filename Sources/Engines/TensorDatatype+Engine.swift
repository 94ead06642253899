internal import CEngine
internal import Planning

// Datatypes by the numbers of the ABI.
extension TensorDatatype {
    init?(abi number: Int32) {
        switch number {
        case MARTLET_TENSOR_BOOL: self = .bool
        case MARTLET_TENSOR_UINT8: self = .uint8
        case MARTLET_TENSOR_UINT16: self = .uint16
        case MARTLET_TENSOR_UINT32: self = .uint32
        case MARTLET_TENSOR_UINT64: self = .uint64
        case MARTLET_TENSOR_INT8: self = .int8
        case MARTLET_TENSOR_INT16: self = .int16
        case MARTLET_TENSOR_INT32: self = .int32
        case MARTLET_TENSOR_INT64: self = .int64
        case MARTLET_TENSOR_FP16: self = .fp16
        case MARTLET_TENSOR_BF16: self = .bf16
        case MARTLET_TENSOR_FP32: self = .fp32
        case MARTLET_TENSOR_FP64: self = .fp64
        case MARTLET_TENSOR_BYTES: self = .bytes
        default: return nil
        }
    }

    var abi: Int32 {
        switch self {
        case .bool: MARTLET_TENSOR_BOOL
        case .uint8: MARTLET_TENSOR_UINT8
        case .uint16: MARTLET_TENSOR_UINT16
        case .uint32: MARTLET_TENSOR_UINT32
        case .uint64: MARTLET_TENSOR_UINT64
        case .int8: MARTLET_TENSOR_INT8
        case .int16: MARTLET_TENSOR_INT16
        case .int32: MARTLET_TENSOR_INT32
        case .int64: MARTLET_TENSOR_INT64
        case .fp16: MARTLET_TENSOR_FP16
        case .bf16: MARTLET_TENSOR_BF16
        case .fp32: MARTLET_TENSOR_FP32
        case .fp64: MARTLET_TENSOR_FP64
        case .bytes: MARTLET_TENSOR_BYTES
        }
    }

    /// A number of the ABI in words.
    static func words(abi number: Int32) -> String {
        TensorDatatype(abi: number)?.rawValue ?? "number \(number), which is none"
    }
}
