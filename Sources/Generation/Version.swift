/// This version of Genwire.
public let genwireVersion = "0.1.0"
