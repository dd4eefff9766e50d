package hocba.interop;

import java.io.File;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.verapdf.core.EncryptedPdfException;
import org.verapdf.core.ModelParsingException;
import org.verapdf.core.ValidationException;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** veraPDF: {@code PdfA FLAVOUR [FILE...]}, files also on standard input, one line of JSON a file; against that flavour (3b, ua1). */
public final class PdfA {
    private PdfA() {
    }

    public static void main(String[] arguments) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        PDFAFlavour flavour = PDFAFlavour.byFlavourId(arguments[0]);
        if (flavour == PDFAFlavour.NO_FLAVOUR) {
            throw new IllegalArgumentException("unknown flavour: " + arguments[0]);
        }
        Batch.judge(List.of(arguments).subList(1, arguments.length), file -> judge(file, flavour));
    }

    private static Map<String, Object> judge(File file, PDFAFlavour flavour) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("file", file.getPath());
        answer.put("flavour", flavour.getId());
        try (PDFAParser parser = Foundries.defaultInstance().createParser(file, flavour)) {
            ValidationResult result = Foundries.defaultInstance().createValidator(flavour, false).validate(parser);
            answer.put("compliant", result.isCompliant());
            answer.put("failures", result.getTestAssertions().stream().map(PdfA::text).distinct().toList());
        } catch (ModelParsingException | EncryptedPdfException | ValidationException | IOException unreadable) {
            answer.put("compliant", false);
            answer.put("failures", List.of(unreadable.toString()));
        }
        return answer;
    }

    private static String text(TestAssertion failed) {
        return failed.getRuleId().getClause() + "-" + failed.getRuleId().getTestNumber() + " " + failed.getMessage();
    }
}
