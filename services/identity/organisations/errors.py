"""What is refused about units, schools, school years and people by hand."""

from __future__ import annotations

from services.chassis.errors import Refusal

ENDED = Refusal(
    "HB-IDN-060",
    409,
    "Đơn vị hoặc trường không còn hoạt động",
    "{code} đã giải thể, sáp nhập hoặc đóng từ ngày {day}.",
    "Chọn đơn vị hoặc trường đang hoạt động.",
    "{code} has ended on {day}",
)
TOO_EARLY = Refusal(
    "HB-IDN-061",
    409,
    "Ngày có hiệu lực quá sớm",
    "Ngày {day} sớm hơn ngày {last} là ngày sớm nhất được phép đối với {code}.",
    "Chọn ngày không sớm hơn ngày bắt đầu và ngày thay đổi gần nhất.",
    "{code}: day {day} is before {last}",
)
CYCLE = Refusal(
    "HB-IDN-062",
    409,
    "Không chọn được đơn vị này",
    "{target} chính là {code} hoặc thuộc {code}.",
    "Chọn đơn vị hoặc trường khác.",
    "{target} is {code} itself or stands below it",
)
ROOT_FIXED = Refusal(
    "HB-IDN-063",
    409,
    "Không thay đổi được đơn vị cao nhất",
    "{unit} là đơn vị cao nhất nên không giải thể, sáp nhập hoặc chuyển được.",
    "Chọn đơn vị cấp dưới.",
    "{unit} is the root of the tree",
)
NOT_EMPTY = Refusal(
    "HB-IDN-064",
    409,
    "Đơn vị còn trường hoặc đơn vị trực thuộc",
    "{unit} còn {units} đơn vị và {schools} trường đang hoạt động.",
    "Sáp nhập vào đơn vị kế thừa, hoặc chuyển hết các đơn vị và trường trước.",
    "{unit} still has {units} units and {schools} schools",
)
NOT_PLANNED = Refusal(
    "HB-IDN-065",
    409,
    "Không có thay đổi đang chờ",
    "Thay đổi này không có, đã có hiệu lực hoặc đã được huỷ.",
    "Tải lại trang để xem trạng thái mới nhất.",
    "no such planned change",
)
AGAINST_PLAN = Refusal(
    "HB-IDN-066",
    409,
    "Trái với thay đổi đã lên kế hoạch",
    "Thay đổi của {code} đã lên kế hoạch cho ngày {day} sẽ không thực hiện được: {why}",
    "Huỷ thay đổi đã lên kế hoạch trước, rồi thực hiện lại.",
    "the change of {code} planned for {day} would become impossible",
)
YEAR_OUT_OF_TURN = Refusal(
    "HB-IDN-067",
    409,
    "Không mở được năm học",
    "Năm học {year} không phải năm học kế tiếp và cũng chưa từng được mở tại trường.",
    "Mở năm học kế tiếp, hoặc mở lại một năm học trước có nêu lý do.",
    "year {year} is neither the next one nor one that was open before",
)
WRONG_DATES = Refusal(
    "HB-IDN-068",
    422,
    "Ngày không hợp lệ",
    "{message}",
    "Kiểm tra lại các ngày đã nhập.",
    "wrong dates: {rule}",
)
NOTHING_CHANGES = Refusal(
    "HB-IDN-069",
    409,
    "Không có gì thay đổi",
    "Thông tin mới của {code} trùng với thông tin hiện tại.",
    "Nhập thông tin khác với thông tin hiện tại.",
    "nothing of {code} changes",
)
NOT_BY_HAND = Refusal(
    "HB-IDN-055",
    409,
    "Thông tin lấy từ dữ liệu nhập",
    "Thông tin của nhân sự {person} lấy từ dữ liệu cán bộ đã nhập, không sửa trực tiếp.",
    "Sửa trên cơ sở dữ liệu ngành rồi nhập lại dữ liệu cán bộ của trường.",
    "only people entered by hand are corrected here: {person}",
)
NOT_LEFT = Refusal(
    "HB-IDN-056",
    409,
    "Nhân sự đang công tác",
    "Nhân sự {person} chưa được ghi nhận nghỉ hoặc chuyển đi.",
    "Tải lại danh sách để xem trạng thái mới nhất.",
    "the person has not left: {person}",
)
WRONG_LEAVING_DATE = Refusal(
    "HB-IDN-057",
    422,
    "Ngày nghỉ chưa đúng",
    "Ngày nghỉ, chuyển đi phải là ngày hôm nay hoặc một ngày đã qua.",
    "Nhập lại ngày theo dạng ngày/tháng/năm, không sau ngày hôm nay.",
    "the day of leaving is missing, wrong or lies ahead",
)
PERSONAL_ID_TAKEN = Refusal(
    "HB-IDN-058",
    409,
    "Số định danh cá nhân đã có",
    "Một nhân sự khác của trường đã có số định danh cá nhân này.",
    "Kiểm tra lại số định danh cá nhân.",
    "another person of the school has this personal id",
)
