import java.io.FileInputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/**
 * Validates each file with each flavour, in one virtual machine.
 *
 * <p>Arguments: flavours joined by commas ("3a,ua1"), then files. Prints one line per file and
 * flavour: the file, the flavour, PASS or FAIL, the number of assertions, then each rule that failed
 * with its count and what veraPDF says of it; parted by tabs.
 */
public final class Vera {
    public static void main(String[] arguments) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        for (int at = 1; at < arguments.length; at++) {
            for (String name : arguments[0].split(",")) {
                System.out.println(arguments[at] + "\t" + name + "\t" + judged(arguments[at], name));
            }
        }
    }

    private static String judged(String file, String name) throws Exception {
        PDFAFlavour flavour = PDFAFlavour.byFlavourId(name);
        try (FileInputStream bytes = new FileInputStream(file);
                PDFAParser parser = Foundries.defaultInstance().createParser(bytes, flavour);
                PDFAValidator validator =
                        Foundries.defaultInstance().createValidator(flavour, false)) {
            ValidationResult found = validator.validate(parser);
            TreeMap<String, List<String>> failed = new TreeMap<>();
            for (TestAssertion one : found.getTestAssertions()) {
                if (one.getStatus() == TestAssertion.Status.FAILED) {
                    String rule = one.getRuleId().getClause() + "-" + one.getRuleId().getTestNumber();
                    failed.computeIfAbsent(rule, key -> new ArrayList<>())
                            .add(one.getMessage() + " at " + one.getLocation().getContext());
                }
            }
            StringBuilder text = new StringBuilder(found.isCompliant() ? "PASS" : "FAIL");
            text.append('\t').append(found.getTotalAssertions());
            failed.forEach((rule, all) -> text.append('\t').append(rule).append(" x")
                    .append(all.size()).append(": ").append(all.get(0).replaceAll("\\s+", " ")));
            return text.toString();
        }
    }
}
