//! Code as text: one line an instruction, with where it lies in the code and labels for what is jumped to.

/// The instructions of `code`, which is complete: jumps stay within it.
#[cfg(target_arch = "x86_64")]
pub fn disassembly(code: &[u8]) -> String {
    use std::collections::BTreeMap;
    use std::fmt::Write as _;

    use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter, OpKind, SymbolResolver, SymbolResult};

    /// Names of places, by where they are.
    struct Labels(BTreeMap<u64, String>);

    impl SymbolResolver for Labels {
        fn symbol(
            &mut self,
            instruction: &iced_x86::Instruction,
            _: u32,
            _: Option<u32>,
            address: u64,
            _: u32,
        ) -> Option<SymbolResult<'_>> {
            let is_jump = instruction.op0_kind() == OpKind::NearBranch64;
            self.0.get(&address).filter(|_| is_jump).map(|name| SymbolResult::with_str(address, name))
        }
    }

    let instructions: Vec<_> = Decoder::with_ip(64, code, 0, DecoderOptions::NONE).iter().collect();
    let mut labels: BTreeMap<u64, String> = instructions
        .iter()
        .filter(|i| i.op0_kind() == OpKind::NearBranch64)
        .map(|i| (i.near_branch_target(), String::new()))
        .collect();
    labels.values_mut().enumerate().for_each(|(i, name)| *name = format!("L{i}"));
    let mut formatter = IntelFormatter::with_options(Some(Box::new(Labels(labels.clone()))), None);
    let options = formatter.options_mut();
    options.set_space_after_operand_separator(true);
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_uppercase_hex(false);
    options.set_show_branch_size(false);
    options.set_branch_leading_zeros(false);
    let (mut out, mut text) = (String::new(), String::new());
    for instruction in &instructions {
        if let Some(label) = labels.get(&instruction.ip()) {
            let _ = writeln!(out, "{label}:");
        }
        text.clear();
        formatter.format(instruction, &mut text);
        let _ = writeln!(out, "  {:04x}  {text}", instruction.ip());
    }
    out
}

/// Its instructions as numbers: there is no disassembler for this processor.
#[cfg(not(target_arch = "x86_64"))]
pub fn disassembly(code: &[u8]) -> String {
    let word = |bytes: &[u8]| bytes.iter().rev().map(|b| format!("{b:02x}")).collect::<String>();
    code.chunks(4).enumerate().map(|(i, bytes)| format!("  {:04x}  {}\n", 4 * i, word(bytes))).collect()
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    #[test]
    fn jumps_go_to_labels() {
        // xor eax, eax; L0: inc rax; cmp rax, [rdi+16]; jb L0; jmp L1; L1: ret
        let code = [0x31, 0xC0, 0x48, 0xFF, 0xC0, 0x48, 0x3B, 0x47, 0x10, 0x72, 0xF7, 0xE9, 0, 0, 0, 0, 0xC3];
        let text = super::disassembly(&code);
        let wanted = "  0000  xor eax, eax\nL0:\n  0002  inc rax\n  0005  cmp rax, [rdi+0x10]\n  0009  jb L0\n  000b  jmp L1\nL1:\n  0010  ret\n";
        assert_eq!(text, wanted);
    }
}
