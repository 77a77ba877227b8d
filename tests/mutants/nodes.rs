//! Prints where the expressions of a Rust file are whose operator or field can be changed: line and
//! column of the operator or field, then first and last of the expression.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

struct Nodes;

fn print(changed: Span, expression: Span) {
    let (at, first, last) = (changed.start(), expression.start(), expression.end());
    println!(
        "{} {} {} {} {} {}",
        at.line, at.column, first.line, first.column, last.line, last.column
    );
}

/// `a && let b = c` is no expression of its own.
fn has_let(expression: &syn::Expr) -> bool {
    match expression {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

impl<'a> Visit<'a> for Nodes {
    fn visit_expr_binary(&mut self, binary: &'a syn::ExprBinary) {
        if !has_let(&binary.left) && !has_let(&binary.right) {
            print(binary.op.span(), binary.span());
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'a syn::ExprUnary) {
        print(unary.op.span(), unary.span());
        visit::visit_expr_unary(self, unary);
    }

    fn visit_expr_struct(&mut self, made: &'a syn::ExprStruct) {
        made.fields.iter().for_each(|field| print(field.span(), made.span()));
        visit::visit_expr_struct(self, made);
    }
}

fn main() {
    let file = std::env::args().nth(1).expect("a file");
    let text = std::fs::read_to_string(file).expect("readable");
    Nodes.visit_file(&syn::parse_file(&text).expect("Rust"));
}
